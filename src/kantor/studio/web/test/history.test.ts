import assert from "node:assert/strict";
import test from "node:test";
import { History } from "../src/history.ts";

test("undo and redo walk one line", () => {
  const history = new History("a");
  history.push("b", "to b");
  history.push("c", "to c");
  assert.equal(history.undo().value, "b");
  assert.equal(history.undo().value, "a");
  assert.equal(history.undo().value, "a");
  assert.equal(history.redo().value, "b");
  assert.equal(history.redo().value, "c");
  assert.equal(history.canRedo, false);
});

test("what was undone and done otherwise is a branch that can be visited", () => {
  const history = new History("a");
  const lost = history.push("b", "to b");
  history.undo();
  history.push("c", "to c");
  assert.equal(history.visit(lost.id).value, "b");
  assert.equal(history.undo().value, "a");
  assert.equal(history.redo().value, "b", "redo goes where one was last");
  const rows = history.tree();
  assert.deepEqual(rows.map((row) => row.moment.value).sort(), ["a", "b", "c"]);
  assert.equal(rows.filter((row) => row.current).length, 1);
});

test("a line is listed in the order in which it was made, whatever branches off", () => {
  const history = new History("0");
  history.push("1", "");
  history.push("2", "");
  history.undo();
  history.push("3", "");
  history.visit(2);
  history.push("4", "");
  const rows = history.tree();
  for (const row of rows) {
    const parent = rows.findIndex((other) => other.moment.id === row.moment.parent);
    assert.ok(parent < rows.indexOf(row), "parents come first");
  }
  const depth = Object.fromEntries(rows.map((row) => [row.moment.value, row.depth]));
  assert.equal(depth["4"], depth["0"], "the eldest line is not indented");
  assert.ok(depth["3"]! > depth["1"]!, "a branch is");
});

test("branches are listed under where they leave, in the order in which they were made, and the eldest line goes on below", () => {
  const history = new History("0");
  for (const name of ["eldest", "second", "third"]) {
    history.push(name, "");
    history.push(`${name} on`, "");
    history.visit(0);
  }
  const rows = history.tree().map(({ moment, depth }) => `${"> ".repeat(depth)}${moment.value}`);
  assert.deepEqual(rows, ["0", "> second", "> second on", "> third", "> third on", "eldest", "eldest on"]);
});

test("a long line forgets its beginning and keeps its end", () => {
  const history = new History(-1);
  for (let at = 0; at < 1000; at++) history.push(at, "");
  assert.equal(history.current.value, 999);
  let steps = 0;
  while (history.canUndo) {
    history.undo();
    steps++;
  }
  assert.ok(steps >= 300 && steps < 1000);
  assert.equal(history.tree().length, steps + 1);
});
