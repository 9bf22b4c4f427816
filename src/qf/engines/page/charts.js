"use strict";
// Drawing: every chart shares one x scale, so a zoom in one is a zoom in all.
// Colours come from the style sheet, read anew when the theme changes.

const WIDE_AXIS = 118; // holds a clock's name, so that price, closings and labels line up
const NARROW_AXIS = 58;
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, Arial, sans-serif";
const CANDLES_BELOW = 140; // visible bars, merged ones counted once

const charts = [];
const shared = uPlot.sync("time");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

function utc(seconds) {
  return uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC");
}

function short(value) {
  if (value === null || value === undefined || !isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return (value / 1e6).toFixed(size >= 1e7 ? 1 : 2) + " M";
  if (size >= 1e4) return Math.round(value).toLocaleString("en");
  if (size >= 100) return value.toFixed(1);
  if (size >= 1) return value.toFixed(2);
  if (size === 0) return "0";
  if (size < 1e-4) return value.toExponential(1);
  return value.toPrecision(2);
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

function timeText(seconds, step) {
  const date = new Date(seconds * 1e3);
  const clock = date.toISOString();
  if (step >= 86400 || clock.slice(11, 19) === "00:00:00" && step >= 3600)
    return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  if (step >= 60) return clock.slice(11, 16);
  return step >= 1 ? clock.slice(11, 19) : clock.slice(14, 22);
}

function xAxis(shown) {
  return {
    show: shown, stroke: colour("quiet"), font: FONT, size: 28, space: 84, gap: 7,
    values: (u, splits, axis, space, step) => splits.map((time) => timeText(time, step)),
    grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false },
  };
}

function yAxis(size, space, values) {
  return {
    stroke: colour("quiet"), font: FONT, size, space, gap: 8, values,
    grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false },
  };
}

function options(place, height, span, extra) {
  return {
    width: place.clientWidth, height, ms: 1e-3, tzDate: utc,
    legend: { show: false },
    padding: [8, 10, 0, 0],
    cursor: {
      sync: { key: "time", scales: ["x", null], setSeries: false },
      drag: { x: true, y: false }, points: { show: false }, y: false,
      bind: { dblclick: () => () => { showWhole(span); return null; } },
    },
    scales: { x: { time: true, range: (u, low, high) => (low === null ? span : [low, high]) } },
    ...extra,
  };
}

function add(place, settings, data) {
  const chart = new uPlot(settings, data, place);
  shared.sub(chart);
  charts.push({ chart, place });
  return chart;
}

// A scale that fits what is visible, with a little air.
function fitted(u, low, high) {
  if (low === null || high === null) return [0, 1];
  const air = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - air, high + air];
}

function visible(u) {
  return u.series[0].idxs[1] - u.series[0].idxs[0] + 1;
}

function drawCandles(u) {
  if (visible(u) >= CANDLES_BELOW) return;
  const [times, open, high, low, close] = u.data;
  const [first, last] = u.series[0].idxs;
  const ctx = u.ctx;
  const width = Math.max(2, Math.min(14, (u.bbox.width / visible(u)) * 0.62));
  ctx.save();
  ctx.beginPath();
  ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  ctx.clip();
  for (let at = first; at <= last; at++) {
    if (close[at] === null) continue;
    const x = u.valToPos(times[at], "x", true);
    const [top, bottom] = [high[at], low[at]].map((value) => u.valToPos(value, "y", true));
    const [from, to] = [open[at], close[at]].map((value) => u.valToPos(value, "y", true));
    ctx.fillStyle = ctx.strokeStyle = colour(close[at] >= open[at] ? "up" : "down");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, bottom);
    ctx.stroke();
    ctx.fillRect(x - width / 2, Math.min(from, to), width, Math.max(devicePixelRatio, Math.abs(to - from)));
  }
  ctx.restore();
}

function drawPrice(place, price, span, onHover) {
  const line = (u) => (visible(u) < CANDLES_BELOW ? "transparent" : colour("price"));
  const settings = options(place, 320, span, {
    series: [
      {},
      { scale: "y", paths: () => null, points: { show: false } },
      { scale: "y", stroke: "transparent", points: { show: false } },
      { scale: "y", stroke: "transparent", points: { show: false } },
      { scale: "y", stroke: line, width: 1.3, points: { show: false } },
    ],
    bands: [{ series: [2, 3], fill: (u) => (visible(u) < CANDLES_BELOW ? "transparent" : colour("band")) }],
    axes: [xAxis(true), yAxis(WIDE_AXIS, 44, (u, ticks) => ticks.map((v) => v.toLocaleString("en")))],
    hooks: { draw: [drawCandles], setCursor: [(u) => onHover(u.cursor.idx)] },
  });
  settings.scales.y = { range: fitted };
  return add(place, settings, [price.t, price.open, price.high, price.low, price.close]);
}

// One lane per clock, one stroke per bar that closed.
function drawClosings(place, clocks, span) {
  const lane = 24;
  const rows = clocks.length;
  const draw = (u) => {
    const ctx = u.ctx;
    const height = (u.bbox.height / rows) * 0.56;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    ctx.fillStyle = colour("rug");
    clocks.forEach((clock, row) => {
      const middle = u.bbox.top + (u.bbox.height * (row + 0.5)) / rows;
      for (const time of clock.t) {
        if (time < u.scales.x.min || time > u.scales.x.max) continue;
        ctx.fillRect(u.valToPos(time, "x", true), middle - height / 2, devicePixelRatio * 0.8, height);
      }
    });
    ctx.restore();
  };
  const names = clocks.map((clock) => clock.name);
  const settings = options(place, lane * rows + 12, span, {
    series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
    axes: [
      xAxis(false),
      {
        ...yAxis(WIDE_AXIS, 1), grid: { show: false },
        splits: () => names.map((_, row) => rows - row - 0.5),
        values: () => names,
      },
    ],
    hooks: { draw: [draw] },
  });
  settings.scales.y = { range: [0, rows] };
  return add(place, settings, [span, [0, 0]]);
}

// A ribbon: the colour of each bar's label, from its bar to the next.
function drawRibbon(place, label, span) {
  const draw = (u) => {
    const ctx = u.ctx;
    const end = u.bbox.left + u.bbox.width;
    ctx.save();
    ctx.beginPath();
    ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    ctx.clip();
    const half = u.bbox.height / 2;
    label.t.forEach((time, at) => {
      const value = label.v[at];
      if (value === null) return;
      const x = u.valToPos(time, "x", true);
      const next = at + 1 < label.t.length ? u.valToPos(label.t[at + 1], "x", true) : x + 2;
      if (next < u.bbox.left || x > end) return;
      const width = Math.max(devicePixelRatio * 0.7, next - x + 0.5);
      ctx.fillStyle = colour(value > 0 ? "up" : value < 0 ? "down" : "none");
      if (value > 0) ctx.fillRect(x, u.bbox.top, width, half);
      else if (value < 0) ctx.fillRect(x, u.bbox.top + half, width, half);
      else ctx.fillRect(x, u.bbox.top + half - 1.5 * devicePixelRatio, width, 3 * devicePixelRatio);
    });
    ctx.restore();
  };
  const settings = options(place, 50, span, {
    series: [{}, { scale: "y", paths: () => null, points: { show: false } }],
    axes: [
      xAxis(false),
      { ...yAxis(WIDE_AXIS, 1), splits: () => [-0.5, 0.5], values: () => ["down", "up"], grid: { show: false } },
    ],
    hooks: { draw: [draw] },
  });
  settings.scales.y = { range: [-1, 1] };
  return add(place, settings, [span, [0, 0]]);
}

function drawLine(place, row, span, form, onHover) {
  const settings = options(place, form.height, span, {
    series: [{}, { scale: "y", stroke: () => colour("feature"), width: 1.1, points: { show: false } }],
    axes: [xAxis(form.times), yAxis(form.axis, 28, (u, ticks) => ticks.map(short))],
    hooks: { setCursor: [(u) => onHover(u.cursor.idx)] },
  });
  settings.scales.y = { range: fitted };
  return add(place, settings, [row.t, row.v]);
}

const CARD = { height: 132, axis: NARROW_AXIS, times: true };
const STRIP = { height: 84, axis: WIDE_AXIS, times: false }; // below the price, on its scale

function showWhole(span) {
  for (const { chart } of charts) chart.setScale("x", { min: span[0], max: span[1] });
}

function clearCharts() {
  for (const { chart } of charts) {
    shared.unsub(chart);
    chart.destroy();
  }
  charts.length = 0;
}

let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(() => {
    for (const { chart, place } of charts) chart.setSize({ width: place.clientWidth, height: chart.height });
  });
});
