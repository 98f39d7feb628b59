// @vitest-environment node
// Asks the compiler which texts the pages name.

import ts from "typescript";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 60_000 });

const CATALOGUES = ["src/i18n/en.ts", "src/admin/messages/en.ts"];

test("every text is used on some page", () => {
  const program = compile();
  const used = usedTexts(program);
  for (const name of CATALOGUES) {
    const texts = textsOf(program, name);
    expect(texts.length, name).toBeGreaterThan(100);
    expect(texts.filter((text) => !used.has(text)).map(pathOf), name).toEqual([]);
  }
});

/** The sources of the pages, without the packages that they stand on: texts are in none of them, and types take long. */
function compile(): ts.Program {
  const { config } = ts.readConfigFile("tsconfig.json", ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent({ ...config, include: ["src"] }, ts.sys, ".");
  const host = ts.createCompilerHost(options);
  host.resolveModuleNameLiterals = (names, file) =>
    names.map(({ text }) => {
      const found = text.startsWith(".") ? ts.resolveModuleName(text, file, options, host) : undefined;
      return { resolvedModule: found?.resolvedModule };
    });
  return ts.createProgram(fileNames, { ...options, types: [] }, host);
}

/** The members of a catalogue that are no groups. */
function textsOf(program: ts.Program, name: string): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isPropertyAssignment(node) && !ts.isObjectLiteralExpression(node.initializer)) found.push(node);
    else ts.forEachChild(node, visit);
  };
  const catalogue = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(name));
  if (catalogue) visit(catalogue);
  return found;
}

/** Every member of a catalogue that a page names, or may look up in its group by a name that the server sends. */
function usedTexts(program: ts.Program): Set<ts.Node> {
  const checker = program.getTypeChecker();
  const used = new Set<ts.Node>();
  const inCatalogue = (node: ts.Node | undefined) =>
    node !== undefined && CATALOGUES.some((name) => node.getSourceFile().fileName.endsWith(name));

  /** The group goes where its members are asked for by the names in `wanted`, or, if that has an index, by any. */
  const take = (group: ts.Type, wanted: ts.Type) => {
    if (inCatalogue(wanted.symbol?.valueDeclaration)) return;
    for (const member of group.getProperties()) {
      const sought = wanted.getProperty(member.name);
      const type = sought ? checker.getTypeOfSymbol(sought) : wanted.getStringIndexType();
      if (!type || !inCatalogue(member.valueDeclaration)) continue;
      used.add(member.valueDeclaration as ts.Node);
      take(checker.getTypeOfSymbol(member), type);
    }
  };

  const visit = (node: ts.Node) => {
    if (ts.isPropertyAccessExpression(node)) {
      const declared = checker.getSymbolAtLocation(node.name)?.valueDeclaration;
      if (declared && inCatalogue(declared)) used.add(declared);
    }
    if (ts.isElementAccessExpression(node)) {
      for (const member of checker.getTypeAtLocation(node.expression).getProperties()) {
        if (member.valueDeclaration && inCatalogue(member.valueDeclaration)) used.add(member.valueDeclaration);
      }
    }
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
      const group = checker.getTypeAtLocation(node);
      const wanted = inCatalogue(group.symbol?.valueDeclaration) && checker.getContextualType(node);
      if (wanted) take(group, wanted);
    }
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles()) {
    if (!file.isDeclarationFile && !/\/(i18n|messages)\/(en|de)\.ts$/.test(file.fileName)) visit(file);
  }
  return used;
}

/** `login.title`, say. */
function pathOf(node: ts.Node): string {
  const names: string[] = [];
  for (let at = node; at; at = at.parent) if (ts.isPropertyAssignment(at)) names.unshift(at.name.getText());
  return names.join(".");
}
