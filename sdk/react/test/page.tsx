/** A page with something of ours in it, for as long as one test runs. */
import { cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, vi } from "vitest";
import { HallpassProvider } from "../src/index.js";
import type { HallpassProviderProps } from "../src/index.js";
import { serve } from "./server.js";
import type { Server } from "./server.js";

const open: Server[] = [];

afterEach(() => {
  cleanup();
  for (const server of open.splice(0)) server.hallpass.close();
  vi.unstubAllGlobals();
  localStorage.clear();
  location.hash = "";
});

type Answers = Parameters<typeof serve>[0];

/** Shows `content` before a server that answers so. */
export function show(content: ReactNode, answers: Answers = {}, props: Partial<HallpassProviderProps> = {}) {
  const server = serve(answers);
  open.push(server);
  const page = render(
    <HallpassProvider client={server.hallpass} {...props}>
      {content}
    </HallpassProvider>,
  );
  return { ...server, ...page };
}
