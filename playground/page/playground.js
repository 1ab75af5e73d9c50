"use strict";
// The page of the playground. The library is a module of WebAssembly, MODULE: base64 of its gzip. It is asked in JSON and answers in JSON
// (playground/src/lib.rs); nothing is fetched. `#method=pso&problem=ackley&set=particles=40` opens the page with these settings.

const $ = (id) => document.getElementById(id);
const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// ---------------------------------------------------------------- the library

/** The module with the few functions of playground/src/exports.rs. */
const library = {
  module: null,
  exports: null,
  async load() {
    if (!this.module) {
      const packed = Uint8Array.from(atob(MODULE), (c) => c.charCodeAt(0));
      const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
      this.module = await WebAssembly.compile(await new Response(plain).arrayBuffer());
    }
    this.exports = (await WebAssembly.instantiate(this.module, {})).exports;
  },
  /** What it has said last. */
  text() {
    const { memory, text, length } = this.exports;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, text(), length()));
  },
  /** The answer to a request, both texts. A panic is thrown as an error with its last words. */
  answer(request) {
    const bytes = new TextEncoder().encode(request);
    const at = this.exports.reserve(bytes.length);
    new Uint8Array(this.exports.memory.buffer, at, bytes.length).set(bytes);
    this.guard(() => this.exports.answer());
    return this.text();
  },
  guard(work) {
    try {
      work();
    } catch (why) {
      let words = "";
      try {
        words = this.text();
      } catch (_) { /* nothing can be read any more */ }
      throw new Fallen(words.startsWith("panicked") ? words : String(why));
    }
  },
  /** The same with values; an error of the library is thrown as one. */
  ask(request) {
    const answer = JSON.parse(this.answer(JSON.stringify(request)));
    if (answer.error !== undefined) throw new Refused(answer.error);
    return answer;
  },
};

class Fallen extends Error {}
class Refused extends Error {}

// ---------------------------------------------------------------- state

const TYPED = "a formula";
const EXAMPLE = "(x0^2 + x1 - 11)^2 + (x0 + x1^2 - 7)^2";
/** Rounds that a trail goes back; further where a round has few points. */
const TRAIL = 12;
const LONG_TRAIL = 60;
const FEW = 6;
const SIDE = 301;
/** Rounds a second; above 60 several a picture, and at the end as many as there is time for. */
const SPEEDS = [1, 2, 5, 10, 20, 60, 180, 600, 3000, Infinity];

const state = {
  catalog: null,
  method: null,
  problem: null,
  landscape: null,
  frame: null,
  before: null,
  trails: [],
  curve: [],
  values: {},
  preset: "",
  x0: null,
  playing: false,
  broken: false,
  owed: 0,
  stepped: 0,
};

// ---------------------------------------------------------------- numbers as people read them

function short(t) {
  if (t === null || t === undefined || Number.isNaN(t)) return "–";
  if (t === 0) return "0";
  const size = Math.abs(t);
  if (size >= 1e5 || size < 1e-3) return t.toExponential(3).replace("e+", "e");
  return String(Number(t.toPrecision(6)));
}
const counted = (n) => n.toLocaleString("en");

function ticks(low, high, most) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => span / s <= most);
  const all = [];
  for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + 1e-9 * span; t += step) all.push(Math.abs(t) < step / 1e6 ? 0 : t);
  return all;
}

/** Marks of a logarithmic scale, given and found as logarithms: powers of ten, and what lies between them where there are few. */
function decades(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const all = [];
  for (let k = Math.floor(low); k <= high; k++) {
    if (k % every === 0) for (const m of high - low < 2.2 ? [1, 2, 5] : [1]) all.push(k + Math.log10(m));
  }
  return all.filter((t) => t >= low && t <= high);
}

// ---------------------------------------------------------------- pictures

const VIRIDIS = [
  [68, 1, 84], [72, 24, 106], [71, 45, 123], [66, 64, 134], [59, 82, 139], [51, 99, 141], [44, 114, 142], [38, 130, 142], [33, 145, 140],
  [31, 159, 136], [39, 173, 129], [61, 188, 116], [92, 200, 99], [129, 211, 77], [170, 220, 50], [213, 226, 26], [253, 231, 37],
];
const BANDS = VIRIDIS.length;

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A canvas of as many pixels as the screen has there, with its drawing context in units of the page. */
function fit(canvas) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const { width, height } = canvas.getBoundingClientRect();
  const [w, h] = [Math.max(2, Math.round(width * ratio)), Math.max(2, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height, ratio };
}

const ground = { picture: null, key: "", box: null };

/** Where the landscape lies on its canvas. */
function layout(width, height) {
  const left = 46, bottom = 24, top = 6, right = 10;
  return { left, top, width: width - left - right, height: height - top - bottom };
}

/** Seventeen colours that cover the same area each, with lines between them, as `swarmgrad animate` draws it. */
function paint(landscape, width, height) {
  const { side, values, violated } = landscape;
  const finite = values.filter((t) => t !== null).sort((a, b) => a - b);
  const picture = new ImageData(width, height);
  if (finite.length === 0) return picture;
  const limits = Array.from({ length: BANDS - 1 }, (_, k) => finite[Math.floor(((k + 1) / BANDS) * (finite.length - 1))]);
  const worst = finite[finite.length - 1];
  const filled = values.map((t) => (t === null ? worst : t));
  const levels = new Uint8Array(width * height);
  const at = (pixel, pixels) => {
    const place = (pixel / Math.max(1, pixels - 1)) * (side - 1);
    const low = Math.min(side - 2, Math.floor(place));
    return [low, place - low];
  };
  const columns = Array.from({ length: width }, (_, i) => at(i, width));
  for (let j = 0; j < height; j++) {
    const [row, v] = at(height - 1 - j, height);
    for (let i = 0; i < width; i++) {
      const [column, u] = columns[i];
      const k = row * side + column;
      const below = filled[k] + u * (filled[k + 1] - filled[k]);
      const above = filled[k + side] + u * (filled[k + side + 1] - filled[k + side]);
      const t = below + v * (above - below);
      let low = 0, high = limits.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (limits[middle] < t) low = middle + 1; else high = middle;
      }
      levels[j * width + i] = low;
    }
  }
  for (let j = 0; j < height; j++) {
    const row = at(height - 1 - j, height)[0];
    for (let i = 0; i < width; i++) {
      const k = j * width + i;
      const level = levels[k];
      const line = (i > 0 && levels[k - 1] !== level) || (j > 0 && levels[k - width] !== level);
      const outside = violated.length > 0 && violated[row * side + columns[i][0]] === 1;
      const shade = (line ? 0.8 : 1) * (outside ? ((i + j) % 12 < 2 ? 0.25 : 0.5) : 1);
      const colour = VIRIDIS[level];
      for (let c = 0; c < 3; c++) picture.data[4 * k + c] = colour[c] * shade;
      picture.data[4 * k + 3] = 255;
    }
  }
  return picture;
}

function star(context, x, y, outer, inner) {
  context.beginPath();
  for (let k = 0; k < 10; k++) {
    const [radius, turn] = [k % 2 ? inner : outer, (k * Math.PI) / 5];
    context.lineTo(x + radius * Math.sin(turn), y - radius * Math.cos(turn));
  }
  context.closePath();
}

function shape(context, points, x, y, fill, stroke) {
  context.beginPath();
  for (const [dx, dy] of points) context.lineTo(x + dx, y + dy);
  context.closePath();
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = stroke;
  context.lineWidth = 1.4;
  context.stroke();
}

/** The landscape with everything that moves; `part` of the way from the frame before to this one. */
function draw(part = 1) {
  const { context, width, height, ratio } = fit($("ground"));
  context.clearRect(0, 0, width, height);
  const { landscape, frame } = state;
  if (!landscape) return;
  const box = layout(width, height);
  const [pixels, rows] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
  const key = `${landscape.number} ${pixels} ${rows}`;
  if (ground.key !== key) {
    const picture = element("canvas", { width: pixels, height: rows });
    picture.getContext("2d").putImageData(paint(landscape, pixels, rows), 0, 0);
    Object.assign(ground, { key, picture });
  }
  context.drawImage(ground.picture, box.left, box.top, box.width, box.height);
  const [[x0, x1], [y0, y1]] = landscape.bounds;
  const place = ([x, y]) => [box.left + ((x - x0) / (x1 - x0)) * box.width, box.top + (1 - (y - y0) / (y1 - y0)) * box.height];
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = style("--soft");
  context.textAlign = "center";
  for (const t of ticks(x0, x1, width < 420 ? 5 : 8)) {
    const [x] = place([t, y0]);
    if (x < width - 12) context.fillText(short(t), x, height - 6);
  }
  context.textAlign = "right";
  for (const t of ticks(y0, y1, 8)) context.fillText(short(t), box.left - 6, Math.max(12, place([x0, t])[1] + 4));
  context.save();
  context.beginPath();
  context.rect(box.left, box.top, box.width, box.height);
  context.clip();
  for (const x of landscape.minimizers) {
    const [a, b] = place(x);
    star(context, a, b, 10, 4.2);
    context.fillStyle = "#ffe14d";
    context.fill();
    context.strokeStyle = "#222222";
    context.lineWidth = 1.3;
    context.stroke();
  }
  if (frame) {
    const finite = (x) => x[0] !== null && x[1] !== null;
    const before = state.before && state.before.x.length === frame.x.length ? state.before.x : frame.x;
    const between = (a, b) => [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
    const now = frame.x.map((x, k) => between(before[k], x));
    const many = now.length > 400;
    if ($("show-trails").checked && !many) {
      const past = state.trails;
      const faint = Math.max(0.35, Math.min(1, 50 / now.length));
      context.lineWidth = 1.3;
      for (let k = 1; k < past.length; k++) {
        // The last piece leads to where the particles are drawn now.
        const [from, to] = [past[k - 1], k === past.length - 1 ? now : past[k]];
        context.strokeStyle = `rgb(255 255 255 / ${faint * (0.08 + (0.55 * k) / past.length)})`;
        context.beginPath();
        from.forEach((a, i) => {
          if (finite(a) && finite(to[i])) {
            context.moveTo(...place(a));
            context.lineTo(...place(to[i]));
          }
        });
        context.stroke();
      }
    }
    if ($("show-memories").checked && frame.y) {
      context.fillStyle = "#7fd6ff";
      context.strokeStyle = "#0b3a57";
      context.lineWidth = 1;
      for (const y of frame.y.filter(finite)) {
        const [a, b] = place(y);
        context.beginPath();
        context.arc(a, b, 2.8, 0, 7);
        context.fill();
        context.stroke();
      }
    }
    if ($("show-velocities").checked && frame.v) {
      context.strokeStyle = "#ffffff";
      context.lineWidth = 1.4;
      context.beginPath();
      now.forEach((x, k) => {
        const v = frame.v[k];
        if (!finite(x) || !finite(v)) return;
        const [from, to] = [place(x), place([x[0] + v[0], x[1] + v[1]])];
        context.moveTo(...from);
        context.lineTo(...to);
        const turn = Math.atan2(to[1] - from[1], to[0] - from[0]);
        if (Math.hypot(to[1] - from[1], to[0] - from[0]) > 8) {
          for (const side of [2.6, -2.6]) {
            context.moveTo(...to);
            context.lineTo(to[0] + 6 * Math.cos(turn + side), to[1] + 6 * Math.sin(turn + side));
          }
        }
      });
      context.stroke();
    }
    context.fillStyle = "#ffffff";
    context.strokeStyle = "#111111";
    context.lineWidth = 1.1;
    const radius = many ? 2 : 3.8;
    for (const x of now.filter(finite)) {
      const [a, b] = place(x);
      context.beginPath();
      context.arc(a, b, radius, 0, 7);
      context.fill();
      if (!many) context.stroke();
    }
    if (frame.best && finite(frame.best.x)) {
      shape(context, [[0, -8], [7, 5.5], [-7, 5.5]], ...place(frame.best.x), "#e377c2", "#ffffff");
    }
    if (frame.centre && finite(frame.centre) && $("show-centre").checked) {
      shape(context, [[0, -7], [7, 0], [0, 7], [-7, 0]], ...place(frame.centre), "#d55e00", "#ffffff");
    }
  }
  context.restore();
}

/** The best value over the evaluations: above the minimum where that is known, on a logarithmic scale where all are positive. */
function drawCurve() {
  const { context, width, height } = fit($("curve"));
  context.clearRect(0, 0, width, height);
  const soft = style("--soft");
  context.font = "12px system-ui, sans-serif";
  const minimum = state.landscape ? state.landscape.minimum : null;
  const above = minimum === null ? 0 : minimum;
  const points = state.curve.map(([n, t]) => [n, t - above]);
  context.fillStyle = soft;
  context.textAlign = "left";
  context.fillText(minimum === null ? "best value" : "best value − minimum", 4, 13);
  if (points.length === 0) {
    if (state.frame && state.frame.evaluations > 0) context.fillText("no point without a violation yet", 4, 34);
    return;
  }
  const log = points.filter(([, t]) => t > 0).length > 0 && points.every(([, t]) => t >= 0);
  const positive = points.map(([, t]) => t).filter((t) => t > 0);
  const floor = log ? Math.min(...positive) : 0;
  // What is 0 on a logarithmic scale stands a decade below the rest.
  const scaled = ([n, t]) => [n, log ? Math.log10(t > 0 ? t : floor / 10) : t];
  const all = points.map(scaled);
  const most = Math.max(state.frame.evaluations, all[all.length - 1][0], 2);
  let [low, high] = [Math.min(...all.map((p) => p[1])), Math.max(...all.map((p) => p[1]))];
  if (high - low < (log ? 1 : 1e-12 + 1e-6 * Math.abs(high))) [low, high] = [low - (log ? 0.5 : 0.5 * Math.abs(low) + 0.5), high + (log ? 0.5 : 0.5 * Math.abs(high) + 0.5)];
  const box = { left: 52, top: 24, width: width - 64, height: height - 50 };
  const x = (n) => box.left + (n / most) * box.width;
  const y = (t) => box.top + (1 - (t - low) / (high - low)) * box.height;
  context.lineWidth = 1;
  context.strokeStyle = style("--grid");
  context.textAlign = "right";
  const marks = log ? decades(low, high) : ticks(low, high, 5);
  for (const t of marks) {
    context.beginPath();
    context.moveTo(box.left, y(t));
    context.lineTo(box.left + box.width, y(t));
    context.stroke();
    context.fillText(log ? Number((10 ** t).toPrecision(1)).toExponential(0).replace("e+", "e") : short(t), box.left - 6, y(t) + 4);
  }
  context.textAlign = "center";
  for (const n of ticks(0, most, 4)) context.fillText(n >= 1e4 ? `${short(n / 1000)}k` : short(n), Math.min(x(n), width - 16), height - 8);
  context.strokeStyle = style("--strong");
  context.lineWidth = 2;
  context.beginPath();
  all.forEach(([n, t], k) => {
    if (k > 0) context.lineTo(x(n), y(all[k - 1][1]));
    context.lineTo(x(n), y(t));
  });
  context.lineTo(x(state.frame.evaluations), y(all[all.length - 1][1]));
  context.stroke();
}

// ---------------------------------------------------------------- the run

function objective() {
  if (state.problem.name !== TYPED) return { problem: state.problem.name };
  return { formula: $("formula").value, bounds: bounds($("bounds").value) };
}

/** `-5:5, -5:5` as pairs; one pair is both's. */
function bounds(text) {
  const pairs = text.split(",").map((pair) => pair.split(":").map((t) => (t.trim() === "" ? NaN : Number(t))));
  const all = pairs.length === 1 ? [pairs[0], pairs[0]] : pairs;
  if (all.length !== 2 || all.some((pair) => pair.length !== 2 || pair.some(Number.isNaN))) {
    throw new Refused(`bounds = '${text}': must be LOWER:UPPER, or two of them with a comma, for example -5:5, 0:1`);
  }
  return all;
}

function whole(id, name) {
  const value = Number($(id).value);
  if (!Number.isSafeInteger(value) || value < 0 || $(id).value.trim() === "") {
    throw new Refused(`${name} = ${$(id).value}: must be a whole number >= 0`);
  }
  return value;
}

/** What differs from the defaults, as people type it. */
function chosen() {
  const set = Object.entries(state.values).map(([name, value]) => `${name}=${value}`);
  return state.preset === "" ? set : [`preset=${state.preset}`, ...set];
}

function setting() {
  const [seed, budget] = [whole("seed", "seed"), whole("budget", "evaluations at most")];
  return { on: objective(), method: state.method.name, set: chosen(), x0: state.x0, seed, budget };
}

let landscapes = 0;

/** Everything anew, with what is set now. */
function begin({ ground: anew = false } = {}) {
  guarded(() => {
    Object.assign(state, { broken: true, frame: null, before: null, trails: [], curve: [], owed: 0 });
    const request = setting();
    if (anew || !state.landscape) {
      Object.assign(state, { landscape: null, x0: null });
      request.x0 = null;
      const landscape = library.ask({ do: "landscape", on: request.on, side: SIDE });
      state.landscape = { ...landscape, number: ++landscapes };
    }
    take(library.ask({ do: "begin", ...request }));
    // The first points, so that there is something to see.
    take(library.ask({ do: "step", rounds: 1 }));
    state.broken = false;
  });
  write();
  show();
}

/** Takes a frame in. */
function take(frame) {
  state.before = state.frame;
  state.frame = frame;
  state.curve.push(...frame.improvements);
  if (state.before && state.before.x.length !== frame.x.length) state.trails = [];
  if (frame.x.length > 0) state.trails.push(frame.x);
  if (state.trails.length > 1 + (frame.x.length > FEW ? TRAIL : LONG_TRAIL)) state.trails.shift();
  if (frame.ended) play(false);
}

/** Moves on by so many rounds. */
function advance(rounds) {
  if (state.broken || !state.frame || state.frame.ended) return false;
  return guarded(() => take(library.ask({ do: "step", rounds })));
}

/** Does something that the library may refuse, or fall over. */
function guarded(work) {
  try {
    work();
    $("error").hidden = true;
    return true;
  } catch (why) {
    play(false);
    if (why instanceof Refused) {
      $("error").textContent = why.message;
      $("error").hidden = false;
    } else {
      state.broken = true;
      $("last-words").textContent = why.message;
      $("fallen").hidden = false;
      $("rise").focus();
    }
    return false;
  }
}

async function rise() {
  $("fallen").hidden = true;
  await library.load();
  begin({ ground: true });
  $("play").focus();
}

function play(on) {
  if (on && state.frame && state.frame.ended) begin();
  state.playing = Boolean(on && !state.broken && state.frame && !state.frame.ended);
  state.stepped = performance.now();
  $("play").textContent = state.playing ? "Pause" : "Play";
  if (!state.playing) draw();
}

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

function tick(now) {
  if (state.playing) {
    const speed = SPEEDS[$("speed").value];
    const passed = Math.min(250, now - state.stepped);
    if (speed >= 60) {
      const rounds = speed === Infinity ? 1e9 : Math.round(speed / 60);
      // So that the page answers: no longer than most of a picture's time.
      const until = performance.now() + 14;
      for (let k = 0; k < rounds && state.playing && performance.now() < until; k++) advance(1);
      show();
    } else if (passed >= 1000 / speed) {
      state.stepped = now;
      advance(1);
      show(still.matches ? 1 : 0);
    } else if (!still.matches && state.frame) {
      draw(Math.min(1, (passed * speed) / 1000));
    }
  }
  requestAnimationFrame(tick);
}

// ---------------------------------------------------------------- what is shown

function show(part = 1) {
  draw(part);
  drawCurve();
  const { frame, landscape } = state;
  const best = frame && frame.best;
  const minimum = landscape ? landscape.minimum : null;
  $("value").textContent = best ? short(best.value) : "–";
  if (best && minimum !== null && minimum !== 0) $("value").textContent += `  (minimum ${short(minimum)})`;
  if (best && best.violation > 0) $("value").textContent += "  (violates a constraint)";
  $("at").textContent = best ? `(${best.x.map(short).join(", ")})` : "–";
  $("evaluations").textContent = frame ? `${counted(frame.evaluations)} of ${counted(Number($("budget").value))}` : "–";
  $("rounds").textContent = frame ? counted(frame.rounds) : "–";
  const numbers = frame ? frame.numbers : [];
  $("numbers-row").hidden = numbers.length === 0;
  $("numbers").textContent = numbers.map(([name, t]) => `${name} ${short(t)}`).join(", ");
  $("failures-row").hidden = !frame || frame.failures === 0;
  $("failures").textContent = frame ? counted(frame.failures) : "";
  $("ended-row").hidden = !frame || !frame.ended;
  const ended = (frame && frame.ended) || "";
  if ($("ended").textContent !== ended) $("ended").textContent = ended;
  $("explanation").textContent = (frame && frame.explanation) || "";
  $("step").disabled = state.broken || !frame || Boolean(frame.ended);
  $("play").disabled = state.broken;
  $("centre-name").textContent = frame && frame.centre ? (frame.mean ? "mean" : "consensus") : "consensus or mean";
  const seen = best ? `best value ${short(best.value)} at ${best.x.map(short).join(", ")}` : "no run";
  $("show-memories").disabled = !frame || !frame.y;
  $("show-velocities").disabled = !frame || !frame.v;
  $("show-centre").disabled = !frame || !frame.centre;
  $("ground").setAttribute("aria-label", `${state.method.name} on ${state.problem.title}, seen from above: ${seen}`);
}

/** The address with what is set, and the same run as commands. */
function write() {
  const typed = state.problem.name === TYPED;
  const parts = [["method", state.method.name], ["problem", typed ? "" : state.problem.name]];
  if (typed) parts.push(["formula", $("formula").value], ["bounds", $("bounds").value]);
  if (state.x0) parts.push(["x0", state.x0.join(",")]);
  parts.push(["seed", $("seed").value], ["budget", $("budget").value], ...chosen().map((set) => ["set", set]));
  const hash = parts.filter(([, value]) => value !== "").map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  try {
    history.replaceState(null, "", `#${hash}`);
  } catch (_) { /* some browsers refuse it for files */ }
  const set = chosen();
  const method = state.method.name + (set.length ? `(${set.join(", ")})` : "");
  const [seed, budget] = [$("seed").value, $("budget").value];
  const [flag, call] = state.x0 ? [` --x0 ${state.x0.join(",")}`, `.x0(vec![vec![${state.x0.map((t) => t.toPrecision(3)).join(", ")}]])`] : ["", ""];
  $("code").textContent = typed
    ? `minimize(|x: &[f64]| …, Space::new(…)?)\n    .method("${method}")${call}.evaluations(${budget}).seed(${seed}).run()?`
    : `swarmgrad minimize ${state.problem.name} --dim 2 --method '${method}'${flag} --evaluations ${budget} --seed ${seed}`;
  $("begin").hidden = !state.x0;
  $("x0").textContent = state.x0 ? state.x0.map(short).join(", ") : "";
}

// ---------------------------------------------------------------- controls

/** The slider's whole number from 0 to 1000 for a value, and back. */
function scale({ low, high, log }, whole) {
  const round = (t) => (whole ? Math.round(t) : Number(t.toPrecision(3)));
  if (log) {
    const span = Math.log(high / low);
    return { place: (t) => (1000 * Math.log(Math.max(t, low) / low)) / span, value: (k) => round(low * Math.exp((span * k) / 1000)) };
  }
  return { place: (t) => (1000 * (t - low)) / (high - low), value: (k) => round(low + ((high - low) * k) / 1000) };
}

const written = (value) => (value === null ? "" : typeof value === "string" ? value : String(value));

/** The defaults of the method, with those of the preset. */
function defaults() {
  const preset = state.method.presets.find((preset) => preset.name === state.preset);
  return Object.fromEntries(state.method.parameters.map((p) => [p.name, preset && p.name in preset.settings ? preset.settings[p.name] : p.default]));
}

/** A row with the parameter's name, its control and what it is. */
function row(parameter, usual) {
  const { name, symbol, about, range, whole, control } = parameter;
  const id = `set-${name}`;
  const label = element("label", { htmlFor: id }, name);
  if (symbol && symbol !== name) label.append(" ", element("i", {}, symbol));
  const note = element("p", { className: "note", id: `${id}-about` }, `${about} (${range})`);
  const made = element("div", { className: "row" }, label);
  const now = name in state.values ? state.values[name] : written(usual);
  const set = (text) => {
    if (text === "" || text === written(usual)) delete state.values[name];
    else state.values[name] = text;
    made.classList.toggle("set", name in state.values);
    begin();
  };
  if (control.kind === "choice") {
    const select = element("select", { id });
    if (usual === null) select.append(new Option("by itself", ""));
    for (const word of control.of) select.append(new Option(word, word));
    select.value = now;
    select.addEventListener("change", () => set(select.value));
    made.classList.add("wide");
    made.append(select);
  } else {
    const text = element("input", { id, type: "text", value: now, placeholder: usual === null ? "by itself" : written(usual), spellcheck: false });
    if (control.kind === "slider") {
      const to = scale(control, whole);
      const slider = element("input", { type: "range", min: 0, max: 1000, value: now === "" ? 0 : to.place(Number(now)), tabIndex: -1 });
      slider.setAttribute("aria-label", name);
      slider.addEventListener("input", () => {
        text.value = to.value(Number(slider.value));
        set(text.value);
      });
      text.addEventListener("change", () => (slider.value = text.value === "" ? 0 : to.place(Number(text.value))));
      made.append(slider);
    } else {
      made.classList.add("wide");
    }
    text.addEventListener("change", () => set(text.value.trim()));
    made.append(text);
  }
  made.querySelector(`#${id}`).setAttribute("aria-describedby", note.id);
  made.classList.toggle("set", name in state.values);
  made.append(note);
  return made;
}

function showParameters() {
  const usual = defaults();
  $("method-name").textContent = state.method.name;
  $("parameters").replaceChildren(...state.method.parameters.map((p) => row(p, usual[p.name])));
  if (state.method.parameters.length === 0) $("parameters").append(element("p", { className: "note" }, "It has none."));
  $("defaults").disabled = state.method.parameters.length === 0;
}

function pickMethod(name, { values = {}, preset = "" } = {}) {
  const method = state.catalog.methods.find((method) => method.name === name);
  Object.assign(state, { method, values, preset });
  $("method").value = name;
  $("about-method").textContent = `${method.summary[0].toUpperCase()}${method.summary.slice(1)}. ${method.paper}`;
  $("preset-row").hidden = method.presets.length === 0;
  $("preset").replaceChildren(new Option("none: the defaults", ""), ...method.presets.map((preset) => new Option(preset.name, preset.name)));
  $("preset").value = preset;
  aboutPreset();
  showParameters();
}

function aboutPreset() {
  const preset = state.method.presets.find((preset) => preset.name === state.preset);
  $("about-preset").textContent = preset ? preset.about : "";
}

function pickProblem(name) {
  const formula = { name: TYPED, title: "a formula", formula: "", about: "", source: "" };
  state.problem = name === TYPED ? formula : state.catalog.problems.find((problem) => problem.name === name);
  $("problem").value = name;
  $("typed").hidden = name !== TYPED;
  const { formula: text, about, source, constraints = [] } = state.problem;
  const bounded = constraints.length ? `Constraints: ${constraints.join(", ")}; dark where one is violated. ` : "";
  const sentence = (words) => (words === "" ? "" : `${words[0].toUpperCase()}${words.slice(1)}. `);
  $("about-problem").textContent = name === TYPED ? "" : `${text}. ${sentence(about)}${bounded}${source}`;
}

function theme(dark) {
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").textContent = dark ? "Light" : "Dark";
  if (state.landscape) show();
}

/** A slider beside a text that holds a whole number. */
function pair(id, value, place) {
  const [slider, text] = [$(`${id}-slider`), $(id)];
  slider.addEventListener("input", () => {
    text.value = value(Number(slider.value));
    begin();
  });
  text.addEventListener("change", () => {
    slider.value = place(Number(text.value));
    begin();
  });
  slider.value = place(Number(text.value));
}

function fill() {
  const { methods, problems } = state.catalog;
  const group = (label, all) => {
    const made = element("optgroup", { label });
    made.append(...all.map(({ name, title, summary }) => new Option(title ? `${title} (${name})` : `${name}: ${summary}`, name)));
    return made;
  };
  $("method").append(group("need values only", methods.filter((m) => !m.gradients)), group("use gradients", methods.filter((m) => m.gradients)));
  const suites = { bbob: "suite BBOB", nist: "fits of the StRD" };
  const family = ({ name, constraints }) => (constraints.length ? "with constraints" : suites[name.split("/")[0]] ?? "classics");
  $("problem").append(new Option("a formula of your own", TYPED));
  for (const label of ["classics", "with constraints", ...Object.values(suites)]) {
    const all = problems.filter((problem) => family(problem) === label);
    if (all.length) $("problem").append(group(label, all));
  }
}

/** What the address asks for. */
function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const { methods, problems } = state.catalog;
  const known = (all, name) => all.some((one) => one.name === name);
  const method = known(methods, asked.get("method")) ? asked.get("method") : "pso";
  const values = {};
  let preset = "";
  for (const set of asked.getAll("set")) {
    const at = set.indexOf("=");
    if (set.slice(0, at) === "preset") preset = set.slice(at + 1);
    else if (at > 0) values[set.slice(0, at)] = set.slice(at + 1);
  }
  $("formula").value = asked.get("formula") ?? EXAMPLE;
  if (asked.has("bounds")) $("bounds").value = asked.get("bounds");
  if (asked.has("seed")) $("seed").value = asked.get("seed");
  if (asked.has("budget")) $("budget").value = asked.get("budget");
  if (asked.has("theme")) theme(asked.get("theme") === "dark");
  pickMethod(method, { values, preset });
  pickProblem(asked.has("formula") ? TYPED : known(problems, asked.get("problem")) ? asked.get("problem") : "rastrigin");
  return asked;
}

function listen() {
  $("method").addEventListener("change", () => {
    pickMethod($("method").value);
    begin();
  });
  $("problem").addEventListener("change", () => {
    pickProblem($("problem").value);
    begin({ ground: true });
  });
  $("formula").addEventListener("input", () => begin({ ground: true }));
  $("bounds").addEventListener("change", () => begin({ ground: true }));
  window.addEventListener("hashchange", () => location.reload());
  $("preset").addEventListener("change", () => {
    Object.assign(state, { preset: $("preset").value, values: {} });
    aboutPreset();
    showParameters();
    begin();
  });
  $("defaults").addEventListener("click", () => {
    pickMethod(state.method.name);
    begin();
  });
  $("play").addEventListener("click", () => play(!state.playing));
  $("step").addEventListener("click", () => {
    play(false);
    advance(1);
    show();
  });
  $("restart").addEventListener("click", () => begin());
  $("ground").addEventListener("click", (event) => {
    if (!state.landscape) return;
    const { width, height } = $("ground").getBoundingClientRect();
    const box = layout(width, height);
    const part = [(event.offsetX - box.left) / box.width, 1 - (event.offsetY - box.top) / box.height];
    if (part.some((t) => t < 0 || t > 1)) return;
    state.x0 = state.landscape.bounds.map(([low, high], j) => Number((low + part[j] * (high - low)).toPrecision(4)));
    begin();
  });
  $("anywhere").addEventListener("click", () => {
    state.x0 = null;
    begin();
  });
  $("rise").addEventListener("click", rise);
  const pace = () => {
    const speed = SPEEDS[$("speed").value];
    $("pace").textContent = speed === Infinity ? "all it can" : `${counted(speed)} rounds/s`;
    $("speed").setAttribute("aria-valuetext", $("pace").textContent);
  };
  $("speed").addEventListener("input", pace);
  pace();
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"));
  for (const id of ["show-trails", "show-memories", "show-velocities", "show-centre"]) $(id).addEventListener("change", () => draw());
  pair("seed", (k) => k, (t) => t);
  pair("budget", (k) => Number((10 ** k).toPrecision(2)), (t) => Math.log10(Math.max(1, t)));
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, select, textarea, button, pre") || event.ctrlKey || event.metaKey || event.altKey;
    if (busy || !$("fallen").hidden) return;
    const button = { " ": "play", s: "step", r: "restart" }[event.key];
    if (button) {
      event.preventDefault();
      $(button).click();
    }
  });
  new ResizeObserver(() => show()).observe($("ground"));
}

async function open() {
  theme(window.matchMedia("(prefers-color-scheme: dark)").matches);
  try {
    await library.load();
    state.catalog = library.ask({ do: "list" });
  } catch (why) {
    $("loading").className = "wrong";
    $("loading").textContent = `The library could not be started: ${why.message}. A browser of 2023 or later is needed.`;
    throw why;
  }
  fill();
  const asked = read();
  $("loading").hidden = true;
  $("main").hidden = false;
  listen();
  begin({ ground: true });
  const x0 = (asked.get("x0") ?? "").split(",").map(Number);
  if (asked.has("x0") && x0.length === 2 && x0.every(Number.isFinite)) {
    state.x0 = x0;
    begin();
  }
  requestAnimationFrame(tick);
  if (asked.has("rounds")) {
    for (let k = Number(asked.get("rounds")); k > 0 && advance(1); k--);
    show();
  }
  if (asked.has("play")) play(true);
  if (asked.has("test")) await test(asked.get("test"));
}

// ---------------------------------------------------------------- the test of the page, playground/tests/page.rs

/** Answers requests, a line each; or works the controls as people do and says what the page shows. */
async function test(what) {
  const lines = [];
  const say = (line) => lines.push(line);
  try {
    if (what === "controls") await work(say);
    else for (const request of JSON.parse(what)) say(library.answer(JSON.stringify(request)));
  } catch (why) {
    say(`failed: ${why.message}\n${why.stack}`);
  }
  document.body.append(element("pre", { id: "answers" }, lines.join("\n")));
}

async function work(say) {
  const change = (id, value, kind = "change") => {
    $(id).value = value;
    $(id).dispatchEvent(new Event(kind, { bubbles: true }));
  };
  const seen = (name) => {
    const error = $("error").hidden ? "" : ` error: ${$("error").textContent}`;
    say(`${name}: ${$("evaluations").textContent}; ${$("rounds").textContent}; ${$("ended").textContent}${error}`);
  };
  for (const method of state.catalog.methods) {
    change("method", method.name);
    for (let k = 0; k < 5; k++) $("step").click();
    seen(`method ${method.name}`);
    if (!$("fallen").hidden) throw new Error(`${method.name}: ${$("last-words").textContent}`);
  }
  change("method", "pso");
  for (const problem of state.catalog.problems) {
    change("problem", problem.name);
    for (let k = 0; k < 5; k++) $("step").click();
    seen(`problem ${problem.name}`);
  }
  change("problem", TYPED);
  change("formula", "abs(x0) + sqr(x1)", "input");
  seen("wrong formula");
  change("formula", "abs(x0) + x1^2", "input");
  $("step").click();
  seen("formula");
  change("bounds", "-1:1, 3");
  seen("wrong bounds");
  change("bounds", "-1:1");
  change("set-particles", "0");
  seen("no particles");
  change("set-particles", "12");
  $("step").click();
  seen("twelve particles");
  const slider = document.querySelector("#set-particles").parentElement.querySelector("input[type=range]");
  slider.value = 0;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  $("step").click();
  seen(`slider at its end, ${$("set-particles").value} particles`);
  $("defaults").click();
  const { width, height } = $("ground").getBoundingClientRect();
  const box = layout(width, height);
  const middle = { offsetX: box.left + box.width / 2, offsetY: box.top + box.height / 2 };
  $("ground").dispatchEvent(Object.assign(new Event("click"), middle));
  seen(`begun at ${state.x0}, ${$("at").textContent}`);
  $("anywhere").click();
  advance(1e6);
  show();
  seen("to the end");
  say(`address: ${location.hash}`);
  guarded(() => library.guard(() => library.exports.fall()));
  say(`fallen: ${!$("fallen").hidden} ${$("last-words").textContent}`);
  await rise();
  $("step").click();
  seen(`risen, ${$("fallen").hidden}`);
}

open();
