import assert from 'node:assert/strict';
import test from 'node:test';

import { exactInteger, parseObject } from '../src/json.js';

test('a name that comes twice is refused at any depth and in any spelling', () => {
  assert.ok(parseObject('{"a":1,"b":[{"a":1}]}'));
  assert.equal(parseObject('{"a":1,"a":1}'), undefined);
  assert.equal(parseObject('{"a":1,"\\u0061":1}'), undefined);
  assert.equal(parseObject('{"b":[{"a":1,"a":2}]}'), undefined);
  assert.equal(parseObject('{"__proto__":1,"__proto__":2}'), undefined);
});

test('nesting ends at 32 levels', () => {
  const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  assert.ok(parseObject(nested(32)));
  assert.equal(parseObject(nested(33)), undefined);
  assert.equal(parseObject(nested(1_000_000)), undefined);
});

test('only one UTF-8 object is a document', () => {
  const bad = [
    '', '[]', '1', 'null', '"a"', '{} {}', '{}\0', '\ufeff{}', '{"a":"\\ud800"}', '{"a":NaN}', '{"a":01}', '{"a":+1}', '{"a":.5}',
    '{"a":1.}', '{"a":1,}', '{,}', '{"a"}', '{"a":}', '{"a":1e400}', '{"a":-}', '{/**/}', "{'a':1}", '{"a":"\n"}', '{"a":"\\x"}',
    '{"a":[1,]}', '{"a":[1 2]}', '{"a":tru}', '{"a":"', '{"a":1', '{"a":[', '\u00a0{}', '{"a":undefined}',
  ];
  for (const text of bad) assert.equal(parseObject(Buffer.from(text)), undefined, JSON.stringify(text));
  assert.equal(parseObject(Buffer.from('{"a":"\xff"}', 'latin1')), undefined);
  assert.ok(parseObject(' \r\n\t{} '));
});

test('what is taken says the same as it does to `JSON.parse`', () => {
  const text = '{"a":[1,-0.5,1e3,2E-2,"\\u00e9\\n\\"\\/",true,false,null,{}],"b":{"c":[]},"é😀":"\\ud83d\\ude00", "d" : "" }';
  assert.equal(JSON.stringify(parseObject(text)), JSON.stringify(JSON.parse(text)));
});

test('a member called `__proto__` is a member and nothing else', () => {
  const object = parseObject('{"__proto__":{"admin":true}}');
  assert.deepEqual(Object.keys(object ?? {}), ['__proto__']);
  assert.equal(object?.['admin'], undefined);
});

test('a whole number beyond a double is kept exactly where that is asked for', () => {
  const object = parseObject('{"a":9223372036854775807,"b":1,"c":1.5}', exactInteger);
  assert.deepEqual({ ...object }, { a: 9223372036854775807n, b: 1, c: 1.5 });
});
