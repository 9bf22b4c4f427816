"use strict";
// Assembling: texts, tiles, tables, and a place for every chart.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
let current = 0;
let span = [0, 1];

function make(tag, text, kind) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

function fill(place, ...nodes) {
  place.replaceChildren(...nodes);
  return place;
}

function count(value) {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

function percent(part, whole) {
  if (!whole) return "–";
  const share = (100 * part) / whole;
  if (share === 0 || share === 100) return share + " %";
  return share.toFixed(share > 99 || share < 1 ? 2 : 1) + " %";
}

function instant(seconds, fine) {
  return new Date(seconds * 1e3).toISOString().replace("T", " ").slice(0, fine ? 23 : 19);
}

function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

// columns: [title, cell of row, "text" for left-aligned]
function table(place, columns, rows) {
  if (!rows.length) return fill(place, make("p", "Nothing here.", "quiet"));
  const head = make("tr");
  for (const [title, , kind] of columns) head.append(make("th", title, kind));
  const body = make("tbody");
  for (const row of rows) {
    const line = make("tr");
    for (const [, cell, kind] of columns) {
      const value = cell(row);
      const node = value instanceof Node ? make("td", undefined, kind) : make("td", value, kind);
      if (value instanceof Node) node.append(value);
      if (value === "0") node.classList.add("zero");
      line.append(node);
    }
    body.append(line);
  }
  const top = make("thead");
  top.append(head);
  const whole = make("table");
  whole.append(top, body);
  return fill(place, whole);
}

function shareBar(part, whole) {
  const cell = make("span");
  const bar = make("span", undefined, "share-bar");
  const inner = make("i");
  inner.style.width = (whole ? (100 * part) / whole : 0) + "%";
  bar.append(inner);
  cell.append(bar, percent(part, whole));
  return cell;
}

function total(rows, key) {
  return rows.reduce((sum, row) => sum + (row[key] || 0), 0);
}

function showTiles(symbol) {
  const streams = Object.values(symbol.accounts);
  const values = total(symbol.features, "values");
  const rows = total(symbol.features, "rows");
  const barred = symbol.labels.filter((label) => label.barriers);
  const tiles = [
    [count(symbol.trades.rows), "trades, each with the book before it"],
    [count(total(symbol.clocks, "bars")), `bars on ${plural(symbol.clocks.length, "clock")}`],
    [percent(values, rows), `of ${count(rows)} feature values present`],
    [percent(total(barred, "up") + total(barred, "down"), total(barred, "rows")), "of labels touched a barrier"],
    [symbol.trades.spread_bps === null ? "–" : short(symbol.trades.spread_bps) + " bps", "median spread at the trades"],
  ];
  if (streams.length) tiles.unshift([count(total(streams, "received")), "frames received, all accounted for"]);
  fill(at("tiles"), ...tiles.map(([value, meaning]) => {
    const tile = make("div", undefined, "tile");
    tile.append(make("b", value), make("span", meaning));
    return tile;
  }));
}

function showPrice(symbol) {
  at("price").replaceChildren();
  at("closings").replaceChildren();
  at("labels").replaceChildren();
  if (!symbol.price || !symbol.price.t.length) {
    at("price-note").textContent = "No bar closed in this span.";
    return;
  }
  const price = symbol.price;
  const merged = price.merged > 1 ? `, ${price.merged} bars drawn as one` : "";
  at("price-note").textContent = `${symbol.main}, close with its high and low${merged}`;
  const live = at("price-live");
  drawPrice(at("price"), price, span, (index) => {
    if (index === null || index === undefined) return fill(live);
    const bar = ["open", "high", "low", "close"].map((name) => `${name} ${price[name][index].toLocaleString("en")}`);
    fill(live, make("b", instant(price.t[index], true)), "  " + bar.join("  ") + `  volume ${short(price.volume[index])}`);
  });
  drawClosings(at("closings"), symbol.clocks, span);
  for (const label of symbol.labels) showLabel(label);
}

function showLabel(label) {
  const head = make("div", undefined, "label-head");
  head.append(make("h3", label.name), make("span", `on ${label.clock}`, "quiet"));
  const share = make("span", undefined, "share");
  const kinds = [["up", label.up], ["none", label.none], ["down", label.down]];
  const names = { up: "upper barrier", none: "neither in time", down: "lower barrier" };
  if (label.barriers) {
    for (const [kind, rows] of kinds) {
      const key = make("span", `${names[kind]} ${percent(rows, label.rows)}`, "key");
      key.style.setProperty("--c", `var(--${kind})`);
      share.append(key);
    }
  }
  head.append(share);
  const place = make("div");
  at("labels").append(head, place);
  if (label.barriers) drawRibbon(place, label, span);
  else drawLine(place, label, span, STRIP, () => undefined);
}

function showFeatures(symbol) {
  const place = fill(at("features"));
  const clocks = [...new Set(symbol.features.map((row) => row.clock))];
  for (const clock of clocks) {
    const rows = symbol.features.filter((row) => row.clock === clock);
    const head = make("div", undefined, "clock-head");
    const bars = symbol.clocks.find((row) => row.name === clock);
    head.append(make("h2", `Features on ${clock}`));
    if (bars) head.append(make("p", plural(bars.bars, "bar"), "quiet"));
    const grid = make("div", undefined, "grid");
    place.append(head, grid);
    for (const row of rows) showFeature(grid, row);
  }
}

function showFeature(grid, row) {
  const card = make("div", undefined, "card");
  const line = make("div", undefined, "line");
  const live = make("p");
  const rest = () => fill(live, make("span", `${percent(row.values, row.rows)} present`, "quiet"));
  line.append(make("h3", row.name), live);
  const what = [row.group, row.formula, row.normal].filter(Boolean).join("  ·  ");
  const about = make("p", what || row.set, "what");
  about.title = what;
  const place = make("div");
  card.append(line, about, place);
  grid.append(card);
  rest();
  drawLine(place, row, span, CARD, (index) => {
    if (index === null || index === undefined) return rest();
    const value = row.v[index] === null ? "missing" : short(row.v[index]);
    fill(live, make("span", instant(row.t[index]).slice(11) + "  ", "quiet"), make("b", value));
  });
}

function reasons(row) {
  return row.quality.slice(0, 3).map((bit) => `${bit.name} ${count(bit.rows)}`).join(", ") || "–";
}

function showTables(symbol) {
  table(at("table-clocks"), [
    ["clock", (row) => row.name],
    ["bars", (row) => count(row.bars)],
    ["trades per bar", (row) => short(row.trades)],
    ["value per bar", (row) => short(row.value)],
    ["median length, s", (row) => short(row.seconds)],
    ["median range, bps", (row) => short(row.range_bps)],
  ], symbol.clocks);
  table(at("table-features"), [
    ["feature", (row) => row.name],
    ["clock", (row) => row.clock, "text"],
    ["rows", (row) => count(row.rows)],
    ["present", (row) => shareBar(row.values, row.rows)],
    ["5 %", (row) => short(row.low)],
    ["median", (row) => short(row.middle)],
    ["95 %", (row) => short(row.high)],
    ["why missing (rows)", reasons, "text"],
  ], symbol.features);
  const streams = Object.entries(symbol.accounts).map(([name, row]) => ({ name, ...row }));
  table(at("table-accounts"), [
    ["stream", (row) => row.name],
    ["received", (row) => count(row.received)],
    ...data.verdicts.map((name) => [name, (row) => count(row[name] || 0)]),
    ["holes in the ids", (row) => count(row.holes || 0)],
  ], streams);
  table(at("table-quality"), [
    ["bit", (row) => row.name.replaceAll("_", " ")],
    ["trades", (row) => count(row.rows)],
    ["share", (row) => percent(row.rows, symbol.trades.rows)],
  ], symbol.trades.quality);
  table(at("table-tables"), [
    ["table", (row) => row.name],
    ["rows", (row) => count(row.rows)],
  ], data.tables);
}

function show() {
  clearCharts();
  const symbol = data.symbols[current];
  if (!symbol) {
    at("title").textContent = data.project;
    at("subtitle").textContent = "This run wrote no bar and no trade.";
    return;
  }
  const times = symbol.clocks.flatMap((clock) => (clock.t.length ? [clock.t[0], clock.t.at(-1)] : []));
  const ends = [symbol.trades.first, symbol.trades.last, ...times].filter((time) => time);
  span = [Math.min(...ends), Math.max(...ends)];
  at("title").textContent = `${data.project}: ${symbol.symbol}`;
  at("subtitle").textContent =
    `${symbol.venue.replaceAll("_", " ")}, ${instant(span[0])} to ${instant(span[1])} UTC` +
    (data.note ? `, ${data.note}` : "");
  showTiles(symbol);
  showPrice(symbol);
  showFeatures(symbol);
  showTables(symbol);
  showWhole(span);
}

function showParity() {
  const live = data.live;
  if (!live) return;
  at("parity").hidden = false;
  at("parity-story").textContent = live.story;
  table(at("table-parity"), [
    ["table", (row) => row.name],
    ["rows", (row) => count(row.rows)],
    ["live", (row) => row.live.slice(0, 16), "text"],
    ["batch", (row) => row.batch.slice(0, 16), "text"],
    ["", (row) => (row.live === row.batch ? "the same, bit for bit" : "DIFFERENT"), "text"],
  ], live.tables);
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  at("theme").textContent = theme === "dark" ? "Light" : "Dark";
}

function start() {
  showTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.title = `${data.project}: QuantFlow report`;
  showParity();
  if (data.warnings.length) {
    const list = make("ul");
    for (const text of data.warnings) list.append(make("li", text));
    fill(at("warnings"), list).hidden = false;
  }
  const choice = at("symbol");
  data.symbols.forEach((row, index) => {
    const option = make("option", `${row.symbol}, ${row.venue}`);
    option.value = index;
    choice.append(option);
  });
  choice.hidden = data.symbols.length < 2;
  choice.addEventListener("change", () => { current = Number(choice.value); show(); });
  at("whole").addEventListener("click", () => showWhole(span));
  at("theme").addEventListener("click", () => {
    showTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
    show();
  });
  const versions = data.run.versions ? Object.entries(JSON.parse(data.run.versions)) : [];
  at("foot").textContent = [
    data.run.id ? `run ${data.run.id}` : "",
    ...versions.map(([name, version]) => `${name} ${version}`),
    "all times UTC, receive time",
  ].filter(Boolean).join("  ·  ");
  show();
}

start();
