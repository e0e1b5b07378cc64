"use strict";
// One step after another: welcome, headphones, training, pieces, thanks. Every answer is sent the moment it is given,
// so a closed window loses nothing; the browser remembers a random number, and nothing else.

const main = document.getElementById("main");
const KEY = `kantor-listening-${location.port}`;
let test, me;

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

const remember = (value) => { try { localStorage.setItem(KEY, value); } catch { /* a private window forgets */ } };
const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };

async function send(where, what) {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) };
  for (let attempt = 0; ; attempt++) {
    try {
      const reply = await fetch(where, options);
      const said = await reply.json();
      if (!reply.ok) throw new Error(said.error);
      document.querySelector(".error")?.remove();
      return said;
    } catch (error) {
      if (attempt === 3) {
        document.querySelector(".error")?.remove();
        main.append(make("p", { class: "error", role: "alert" }, `This was not kept: ${error.message}. Is the test still being served?`));
        throw error;
      }
      await new Promise((done) => setTimeout(done, 300 * 2 ** attempt));
    }
  }
}

function show(title, ...children) {
  const heading = make("h2", { tabindex: "-1" }, title);
  main.replaceChildren(heading, ...children);
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

function progress(done, of) {
  const bar = document.getElementById("progress");
  bar.hidden = !of;
  bar.setAttribute("aria-valuenow", done);
  bar.setAttribute("aria-valuemax", of);
  bar.firstElementChild.style.width = of ? `${(100 * done) / of}%` : "0";
}

const text = (words, kind = "") => make("p", kind ? { class: kind } : {}, words);

function choice(name, legend, options, chosen, words, picked) {
  const scale = make("div", { class: words ? "scale words" : "scale" });
  options.forEach(([value, label, title]) => {
    const input = make("input", { type: "radio", name, value: String(value), "aria-label": title || label, checked: value === chosen, onchange: () => picked(value) });
    scale.append(make("label", { title: title || "" }, input, label));
  });
  return make("fieldset", {}, make("legend", {}, legend), scale);
}

// -- steps ------------------------------------------------------------------------------------------------------------

function welcome() {
  progress(0, 0);
  const levels = [["", "I would rather not say"], ...test.levels.map((level) => [level, level])];
  const ask = choice("level", "How do you know music? (if you like to say)", levels.map(([v, l]) => [v, l, l]), me.level, true,
    (level) => { me.level = level; send("api/level", { rater: me.rater, level }); });
  const begun = Object.keys(me.answers).length > 0;
  show(begun ? "Welcome back" : "What do you hear?",
    text(`You will hear ${test.pieces} short pieces, one after another. Some are by Bach, some are not. Of each you say how it sounds to you; there is no wrong answer, and nobody expects you to know.`),
    text(`It takes about ${Math.max(test.minutes + Math.ceil(test.pieces / 4), 2)} minutes. You may stop at any time: what you have said is kept, and this page goes on where you left off.`),
    text("No name, no address and no time is kept: only your answers, how long you listened, and, if you like, the following.", "dim"),
    ask,
    make("div", { class: "row" }, make("button", { id: "start", onclick: begun ? next : headphones }, begun ? "Go on" : "Begin")));
}

function headphones() {
  if (!test.headphones || me.headphones !== null) { next(); return; }
  const said = [];
  const trial = () => {
    const number = said.length + 1;
    const go = make("button", { id: "next", disabled: true, onclick: async () => {
      if (said.length < test.headphones) { trial(); return; }
      const { right, of } = await send("api/headphones", { rater: me.rater, said });
      me.headphones = right;
      if (right === of) { next(); return; }
      show("Loudspeakers?", text("It sounds as if you were not wearing headphones, or only one side of them. The test works all the same; with headphones on both ears you hear more."),
        make("div", { class: "row" }, make("button", { id: "next", onclick: next }, "Go on")));
    } }, "Next");
    let picked = 0;
    show(`Headphones, ${number} of ${test.headphones}`,
      text("Please put on headphones, and set the loudness so that the tones are easy to hear. Which of the three tones is the softest?"),
      make("audio", { controls: true, src: `sound/tones${number}`, preload: "auto" }),
      choice("tone", "The softest is", [1, 2, 3].map((n) => [n, `the ${["first", "second", "third"][n - 1]}`, `tone ${n}`]), 0, false,
        (value) => { picked = value; said[number - 1] = picked; go.disabled = false; }),
      make("div", { class: "row" }, go, make("button", { class: "plain", id: "skip", onclick: () => { me.headphones = 0; next(); } }, "Skip this")));
  };
  trial();
}

const complete = (item) => test.questions.every((question) => (me.answers[item] || {})[question.name]);

function next() {
  const left = me.order.filter((item) => !complete(item));
  if (!left.length) { thanks(); return; }
  const training = left.filter((item) => test.training.includes(item));
  if (training.length) {
    piece(training[0], `To try it out, ${test.training.length - training.length + 1} of ${test.training.length}`, "This one does not count.");
  } else {
    const number = test.pieces - left.length + 1;
    piece(left[0], `Piece ${number} of ${test.pieces}`, "");
  }
}

function piece(item, title, said) {
  progress(me.order.filter(complete).length, me.order.length);
  const answers = (me.answers[item] ||= {});
  const player = make("audio", { controls: true, src: `sound/${item}`, preload: "auto" });
  let heard = 0, last = null;
  const fieldsets = [];
  const go = make("button", { id: "next", disabled: true, onclick: async () => { player.pause(); await tell(true); next(); } }, "Next piece");
  const fields = make("div", {});
  const ready = () => {
    const open = heard >= Math.min(test.least_seconds, 0.9 * (player.duration || test.least_seconds)) || Object.keys(answers).length > 0;
    fieldsets.forEach((one) => { one.disabled = !open; });
    go.disabled = !complete(item);
    hint.hidden = open;
  };
  const tell = (all, only) => Promise.all(Object.entries(answers).filter(([name]) => all || name === only)
    .map(([question, value]) => send("api/answer", { rater: me.rater, item, question, value, heard: Math.round(heard * 10) / 10 })));
  player.addEventListener("timeupdate", () => {
    const now = player.currentTime;
    if (last !== null && now > last && now - last < 2) heard += now - last;
    last = now;
    ready();
  });
  player.addEventListener("seeking", () => { last = null; });
  player.addEventListener("ended", () => { last = null; ready(); });
  const hint = text("Listen first; the questions open after a moment. You may hear the piece as often as you like.", "dim");
  test.questions.forEach((question) => {
    const many = question.answers.length > 2;
    const options = question.answers.map((answer, at) => [at + 1, many ? String(at + 1) : answer, answer]);
    const one = choice(question.name, question.text, options, answers[question.name], false, (value) => {
      answers[question.name] = value;
      tell(false, question.name);
      ready();
    });
    if (many) one.append(make("div", { class: "ends", "aria-hidden": "true" }, make("span", {}, question.answers[0]), make("span", {}, question.answers.at(-1))));
    fieldsets.push(one);
    fields.append(one);
  });
  show(title, ...(said ? [text(said, "dim")] : []), player, hint, fields, make("div", { class: "row" }, go));
  ready();
}

function thanks() {
  progress(1, 1);
  show("Thank you!", text("All your answers are kept. You may close this window."),
    text("Which pieces were by Bach is not told here, so that you may take the test again, or let others take it in this browser.", "dim"),
    make("div", { class: "row" }, make("button", { class: "plain", id: "again", onclick: async () => { me = await send("api/begin", {}); remember(me.rater); welcome(); } }, "Somebody else begins")));
}

(async () => {
  try {
    test = await (await fetch("api/test")).json();
    me = await send("api/begin", { rater: remembered() });
  } catch {
    show("The test cannot be reached", text("Is it still being served? Load this page again then."));
    return;
  }
  remember(me.rater);
  document.title = document.getElementById("title").textContent = test.title;
  if (me.order.every(complete)) thanks(); else welcome();
})();
