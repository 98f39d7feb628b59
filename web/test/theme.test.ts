import { expect, test } from "vitest";
import { contrast, inks, parseColor, shades } from "../src/theme";

const COLORS = [null, "#ffd400", "#00ff00", "#0b5cad", "#000", "#ffffff", "#c2185b", "#777777"];
const WHITE = parseColor("#fff");
const DARK = parseColor("#2e2e2e");

test("text in any colour of the operator's can be read, on light and on dark pages", () => {
  for (const color of COLORS) {
    const ink = inks(parseColor(color));
    expect(contrast(parseColor(ink.light), WHITE), `${color} on white`).toBeGreaterThanOrEqual(4.5);
    expect(contrast(parseColor(ink.dark), DARK), `${color} on dark`).toBeGreaterThanOrEqual(4.5);
  }
});

test("there are ten shades, and the seventh is the colour itself", () => {
  expect(shades(parseColor("#0b5cad"))).toHaveLength(10);
  expect(shades(parseColor("#0b5cad"))[6]).toBe("#0b5cad");
});

test("what is no colour is ours", () => {
  expect(parseColor("red; background: url(//evil.example)")).toEqual(parseColor(null));
  expect(parseColor("#0f8")).toEqual([0, 255, 136]);
});

test("contrast is counted as WCAG does", () => {
  expect(contrast(WHITE, parseColor("#000"))).toBeCloseTo(21, 5);
  expect(contrast(WHITE, parseColor("#767676"))).toBeCloseTo(4.54, 2);
});
