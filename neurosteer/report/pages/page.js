"use strict";
/* What the page does: draws the charts, keeps what is chosen in its address, fills the tools. All texts go in as text. */
(() => {
  const DATA = JSON.parse(document.getElementById("data").textContent);
  for (const { usermeta, data } of Object.values(DATA.charts)) {
    const { tasks, ends: [first, second] = [] } = usermeta ?? {};  // of a matrix, whose cells have their numbers
    if (tasks) data.values = data.values.map((cell) => ({ [first]: tasks[cell.row], [second]: tasks[cell.column], ...cell }));
  }
  const chosen = new URLSearchParams();  // what stands in the address
  const drawn = new Map();  // chart -> promise of its view
  window.neurosteerCharts = drawn;
  const all = (query, inside = document) => [...inside.querySelectorAll(query)];

  function make(tag, about = {}, ...inner) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(about)) {
      if (name === "class") element.className = value;
      else if (name in element && name !== "list") element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...inner);
    return element;
  }

  /* ---- the address ---- */

  function read() {
    const text = location.hash.slice(1);
    if (text.includes("=")) {
      [...chosen.keys()].forEach((key) => chosen.delete(key));
      for (const [key, value] of new URLSearchParams(text)) chosen.set(key, value);
    } else if (text) chosen.set("at", decodeURIComponent(text));
  }

  function keep(key, value, usual = "") {
    if (String(value) === String(usual)) chosen.delete(key);
    else chosen.set(key, value);
    history.replaceState(null, "", `#${chosen}`);
  }

  const restore = [];  // what to do when the address has changed
  function follow(action) {
    restore.push(action);
    action();
  }

  /* ---- charts ---- */

  function inColours(spec) {  // for a canvas, which knows no names of colours
    const look = getComputedStyle(document.documentElement);
    const named = { ...spec, background: "var(--paper)" };  // so that it can be read on paper and when the theme changes
    return JSON.parse(JSON.stringify(named).replace(/var\((--[\w-]+)\)/g, (_, name) => look.getPropertyValue(name).trim()));
  }

  function draw(place, rows) {
    if (drawn.has(place)) return drawn.get(place);
    const box = document.querySelector(`[data-chart="${CSS.escape(place)}"]`);
    const [given, renderer] = [DATA.charts[place], DATA.charts[place].usermeta?.renderer ?? "svg"];
    const spec = { ...(renderer === "canvas" ? inColours(given) : given), ...(rows && { data: { name: "units", values: rows } }) };
    const view = vegaEmbed(box, spec, { renderer, actions: false, ast: true, tooltip: { theme: "custom" } })
      .then((result) => result.view.logLevel(1));  // errors alone: that nothing is left to show needs no warning
    drawn.set(place, view);
    return view;
  }

  async function signal(place, name, value) {
    if (!DATA.charts[place].params.some((one) => one.name === name)) return;
    if (!drawn.has(place) && !DATA.charts[place].data.values) return;  // a tool draws it, and tells it all
    const view = await draw(place);
    await view.signal(name, value).runAsync();
  }

  const chartsIn = (element) => all("[data-chart]", element).map((box) => box.dataset.chart);

  function drawVisible() {
    for (const box of all("[data-chart]")) if (!box.closest("[hidden]") && DATA.charts[box.dataset.chart].data.values) draw(box.dataset.chart);
  }

  /* ---- switches ---- */

  function seriesSwitches(field) {
    const place = field.dataset.series, boxes = all("input", field), key = `${place}.off`;
    follow(() => {
      const off = new Set((chosen.get(key) ?? "").split("."));
      boxes.forEach((box, i) => { box.checked = !off.has(String(i)); });
      if (drawn.has(place) || chosen.get(key)) send();
    });
    function send() {
      return signal(place, "off", boxes.filter((box) => !box.checked).map((box) => box.value));
    }
    field.addEventListener("change", () => {
      keep(key, boxes.flatMap((box, i) => (box.checked ? [] : [i])).join("."));
      send();
    });
  }

  function choiceMenu(menu) {
    const { choice: place, param } = menu.dataset, key = `${place}.${param}`, usual = menu.options[0].value;
    follow(() => {
      menu.value = chosen.get(key) ?? usual;
      if (!menu.value) menu.value = usual;
      if (drawn.has(place) || chosen.get(key)) signal(place, param, menu.value);
    });
    menu.addEventListener("change", () => {
      keep(key, menu.value, usual);
      signal(place, param, menu.value);
    });
  }

  function layerSwitches(field) {
    const place = field.dataset.layers, boxes = all("input", field), key = `${place}.hidden`;
    const charts = chartsIn(document.getElementById(place));
    const send = () => {
      const hidden = boxes.filter((box) => !box.checked).map((box) => Number(box.value));
      for (const chart of charts) if (drawn.has(chart) || hidden.length) signal(chart, "hidden", hidden);
    };
    follow(() => {
      const hidden = new Set((chosen.get(key) ?? "").split("."));
      boxes.forEach((box) => { box.checked = !hidden.has(box.value); });
      send();
    });
    const changed = () => {
      keep(key, boxes.filter((box) => !box.checked).map((box) => box.value).join("."));
      send();
    };
    field.addEventListener("change", changed);
    for (const button of all("button", field)) {
      button.addEventListener("click", () => {
        boxes.forEach((box) => { box.checked = Boolean(button.dataset.all); });
        changed();
      });
    }
  }

  function control(key, label, element, usual, changed) {
    follow(() => { element.value = chosen.get(key) ?? usual; });
    element.addEventListener(element.type === "search" || element.type === "range" ? "input" : "change", () => {
      keep(key, element.value, usual);
      changed();
    });
    restore.push(changed);
    return make("label", {}, `${label} `, element);
  }

  function select(options) {
    return make("select", {}, ...options.map(([value, text]) => make("option", { value }, text)));
  }

  /* ---- numbers of a chart ---- */

  function numbers(details) {
    const place = details.dataset.numbers;
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      const rows = DATA.charts[place].data.values;
      const heads = Object.keys(rows[0] ?? {});
      const cell = (value) => (value === null || value === undefined ? "" : String(value));
      const body = make("tbody", {}, ...rows.slice(0, 2000).map((row) =>
        make("tr", {}, ...heads.map((head) => make("td", {}, cell(row[head]))))));
      const top = make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head))));
      const save = make("button", { type: "button" }, "Save as CSV");
      save.addEventListener("click", () => {
        const quoted = (value) => `"${cell(value).replaceAll('"', '""')}"`;
        const lines = [heads, ...rows.map((row) => heads.map((head) => row[head]))].map((line) => line.map(quoted).join(","));
        const url = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
        make("a", { href: url, download: `${place}.csv` }).click();
        setTimeout(() => URL.revokeObjectURL(url), 1000);
      });
      const region = { class: "scroll", role: "region", tabIndex: 0, "aria-label": "Numbers of this figure" };
      details.append(save, make("div", region, make("table", {}, top, body)));
    });
  }

  /* ---- tools ---- */

  const signed = (value) => (value > 0 ? "+" : "") + value.toFixed(2);

  function token(text, now, before, byChange) {
    const change = before === undefined ? 0 : now - before;
    const value = byChange ? change : now;
    const strength = Math.min(1, Math.abs(value) / (byChange ? 3 : 12));
    const side = byChange ? (value < 0 ? "down" : "up") : "plain";
    const told = before === undefined ? `log P ${now.toFixed(2)}` : `log P ${before.toFixed(2)} → ${now.toFixed(2)}`;
    const shown = byChange ? signed(value) : now.toFixed(2);
    const mark = byChange && Math.abs(value) >= 0.005 ? (value < 0 ? "▼" : "▲") : "";
    const about = { class: `tok ${Math.abs(value) < 0.005 ? "" : side}`, title: told, style: `--a: ${Math.round(55 * strength)}%` };
    return make("span", about, text, make("small", {}, mark + shown));
  }

  const SORTS = {
    fall: ["largest fall first", (a, b) => a.change - b.change],
    rise: ["largest rise first", (a, b) => b.change - a.change],
    now: ["smallest margin now first", (a, b) => a.now - b.now],
    before: ["smallest margin before first", (a, b) => a.before - b.before],
    file: ["as in the file", (a, b) => a.place - b.place],
  };

  function kindOf(before, now) {
    return before > 0 ? (now > 0 ? "still right" : "lost") : (now > 0 ? "gained" : "still wrong");
  }

  function pairsTool(box, data, place) {
    const edited = data.passes.length > 1;
    const list = make("ol", { class: "list" }), count = make("p", { class: "head", role: "status" });
    const more = make("button", { type: "button" }, "Show more pairs");
    let most = 10;
    const pass = select(data.passes.map((name, i) => [i, name]));
    const sort = select(Object.entries(SORTS).filter(([key]) => edited || key === "now" || key === "file").map(([k, [text]]) => [k, text]));
    const kinds = edited ? ["lost", "gained", "still right", "still wrong"] : ["still right", "still wrong"];
    const only = select([["", "all pairs"], ...kinds.map((kind) => [kind, edited ? kind : kind.slice(6)])]);
    const colour = select([["change", "change"], ["logprob", "log-probability"]]);
    const search = make("input", { type: "search", size: 14 });
    const told = make("p", { class: "head" });
    const show = () => {
      const at = Number(pass.value) || 0, byChange = edited && colour.value === "change" && at > 0;
      const rows = data.pairs.map((pair, i) => {
        const [before, now] = [pair.margin[0], pair.margin[at]];
        return { pair, place: i, before, now, change: now - before, kind: kindOf(before, now) };
      });
      const wanted = search.value.trim().toLowerCase();
      const text = (row) => row.pair.texts.map((side) => side.join("")).join("\n").toLowerCase();
      const kept = rows.filter((row) => (!only.value || row.kind === only.value) && (!wanted || text(row).includes(wanted)))
        .sort(SORTS[sort.value][1]);
      const some = data.pairs.length < data.all ? `, those that change most of ${data.all}` : "";
      count.textContent = `${kept.length} of ${rows.length} pairs${some}`;
      told.textContent = `${byChange ? "Orange with ▼: the token became less probable; blue with ▲: more."
        : "The darker, the less probable."} Numbers are log-probabilities in nats.`;
      list.replaceChildren(...kept.slice(0, most).map((row) => item(row, at, byChange)));
      more.hidden = kept.length <= most;
    };
    const item = ({ pair, before, now, change, kind }, at, byChange) => {
      const margins = at > 0 ? `margin ${before.toFixed(2)} → ${now.toFixed(2)} (${signed(change)}), ` : `margin ${now.toFixed(2)}, `;
      const head = make("div", { class: "head" }, `pair ${pair.id}: ${margins}`, make("b", {}, edited ? kind : kind.slice(6)));
      const sides = ["good", "bad"].map((side, i) => make("div", { class: "side" }, make("span", {}, side),
        make("bdi", { class: "line" }, ...pair.texts[i].map((text, t) => token(text, pair.logprobs[i][at][t],
          at > 0 ? pair.logprobs[i][0][t] : undefined, byChange)))));
      return make("li", {}, head, ...sides);
    };
    const again = () => { most = 10; show(); };
    const controls = [control(`${place}.sort`, "Sort", sort, edited ? "fall" : "now", again),
      control(`${place}.only`, "Only", only, "", again), control(`${place}.find`, "Find", search, "", again)];
    if (edited) {
      controls.unshift(control(`${place}.pass`, "Model", pass, "1", again));
      controls.push(control(`${place}.colour`, "Colour by", colour, "change", again));
    }
    more.addEventListener("click", () => { most += 20; show(); });
    box.append(...controls, told, count, list, more);
    show();
  }

  function listTool(box, data, place) {
    const parts = [...new Set(data.pairs.map((pair) => pair.part))];
    const part = select([["", "all parts"], ...parts.map((name) => [name, name])]);
    const search = make("input", { type: "search", size: 14 });
    const list = make("ol", { class: "list" }), count = make("p", { class: "head", role: "status" });
    const more = make("button", { type: "button" }, "Show more pairs");
    let most = 10;
    const line = (side, mine, other) => {
      const theirs = new Set(other.split(/\s+/));
      const words = mine.split(/(\s+)/).map((word) => (word.trim() && !theirs.has(word) ? make("mark", {}, word) : word));
      return make("div", { class: "side" }, make("span", {}, side), make("bdi", { class: "line" }, ...words));
    };
    const show = () => {
      const wanted = search.value.trim().toLowerCase();
      const kept = data.pairs.filter((pair) => (!part.value || pair.part === part.value)
        && (!wanted || `${pair.good}\n${pair.bad}`.toLowerCase().includes(wanted)));
      count.textContent = `${kept.length} of ${data.all} pairs${data.pairs.length < data.all ? " (the first of each part are here)" : ""}`;
      list.replaceChildren(...kept.slice(0, most).map((pair) => make("li", {}, make("div", { class: "head" },
        `pair ${pair.id}, ${pair.part}`), line("good", pair.good, pair.bad), line("bad", pair.bad, pair.good))));
      more.hidden = kept.length <= most;
    };
    const again = () => { most = 10; show(); };
    more.addEventListener("click", () => { most += 20; show(); });
    box.append(control(`${place}.part`, "Part", part, "", again), control(`${place}.find`, "Find", search, "", again), count, list, more);
    show();
  }

  function slider(box, place, count, start, label, changed) {
    const range = make("input", { type: "range", min: 0, max: count - 1, step: 1 });
    const now = make("output", {});
    const moved = () => {
      now.textContent = label(Number(range.value));
      range.setAttribute("aria-valuetext", now.textContent);
      changed(Number(range.value));
    };
    box.append(control(`${place}.dose`, "Dose", range, String(start), moved), now);
    return moved;
  }

  function dosesTool(box, data, place) {
    const said = make("div", { class: "said", role: "status" });
    const view = box.closest(".view");
    const label = (i) => (data.doses[i].scale === 1 ? "scale 1: unedited" : `scale ${data.doses[i].scale}`);
    const moved = slider(box, place, data.doses.length, data.start, label, (i) => {
      said.replaceChildren(...data.doses[i].text.map((text) => make("p", {}, text)));
      signal(`${place}-doses`, "dose", data.doses[i].scale);
      for (const menu of all('[data-choice$="-margins"]', view)) {
        if (!ready || ![...menu.options].some((one) => one.value === label(i))) continue;
        menu.value = label(i);
        menu.dispatchEvent(new Event("change"));
      }
      const pass = all('[data-tool="pairs"] select', view)[0];
      const option = pass && [...pass.options].find((one) => one.text === label(i) || (one.text === "unedited" && data.doses[i].scale === 1));
      if (option && ready) {
        pass.value = option.value;
        pass.dispatchEvent(new Event("change"));
      }
    });
    box.append(said);
    view.addEventListener("change", ({ target }) => {
      if (!ready || target !== all('[data-tool="pairs"] select', view)[0]) return;
      const [range] = all("input", box), [{ text }] = target.selectedOptions;
      const dose = data.doses.findIndex(({ scale }, i) => text === (scale === 1 ? "unedited" : label(i)));
      if (dose < 0 || Number(range.value) === dose) return;
      range.value = dose;
      range.dispatchEvent(new Event("input"));
    });
    moved();
  }

  function textsTool(box, data, place) {
    const list = make("ol", { class: "list" });
    const show = (i) => list.replaceChildren(...data.rows.map((row) => make("li", {}, make("div", { class: "head" }, "prompt: ",
      make("b", {}, make("bdi", {}, row.prompt))), make("div", { class: "two" },
      make("div", {}, make("div", { class: "head" }, "before"), make("div", { class: "text", dir: "auto" }, row.before)),
      make("div", {}, make("div", { class: "head" }, `after: ${data.edits[i]}${row.after[i] === row.before ? " (the same)" : ""}`),
        make("div", { class: "text", dir: "auto" }, row.after[i]))))));
    if (data.scales.length > 1) slider(box, place, data.scales.length, 0, (i) => `scale ${data.scales[i]}`, show)();
    else show(0);
    box.append(list);
  }

  function activationsTool(box, data) {
    const tok = (text, value) => make("span", { class: `tok ${value < 0 ? "down" : "up"}`, title: `activation ${value}`,
      style: `--a: ${Math.round(60 * Math.abs(value) / data.most)}%` }, text, make("small", {}, String(Number(value.toPrecision(3)))));
    box.append(make("p", { class: "head" }, "Blue is above zero (dotted line below), orange below (solid line); the darker, the further."),
      make("ol", { class: "list" }, ...data.rows.map((row) => make("li", {}, make("div", { class: "head" }, row.from),
        make("bdi", { class: "line" }, ...row.tokens.map((text, i) => tok(text, row.values[i])))))));
  }

  function cardsTool(box, data, place) {
    const sheets = all(`[data-sheet="${CSS.escape(place)}"]`), key = `${place}.of`;
    const menu = select(sheets.map((one) => [one.id, one.dataset.title]));
    const show = () => sheets.forEach((one) => { one.hidden = one.id !== menu.value; });
    menu.addEventListener("change", () => chosen.delete("at"));  // which led to another card
    box.append(control(key, "Neuron", menu, sheets[0]?.id ?? "", show));
    show();
  }

  function unitsTool(box, data, place) {
    const methods = data.methods.map((name) => [name, name]);
    const shown = select(methods), order = select([["unit", "place in the layer"], ["score", "score in the layer"]]);
    const best = select([["0", "all"], ...[10, 40, 100, 500].map((n) => [String(n), `the best ${n}`])]);
    const first = make("input", { type: "number", min: 0, max: data.width - 1 });
    const last = make("input", { type: "number", min: 1, max: data.width });
    const [x, y] = [select(methods), select(methods)];
    const ranks = Object.fromEntries(data.methods.map((name) => [name, ranked(data.scores[name])]));
    const chosenBy = Object.fromEntries(data.methods.map((name) => [name, new Set(data.chosen[name])]));
    const massive = new Set(data.massive), map = `${place}-map`, against = `${place}-against`;
    function ranked(scores) {
      const places = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a]), rank = [];
      places.forEach((unit, i) => { rank[unit] = i + 1; });
      return rank;
    }
    const about = (i) => ({
      layer: data.layers[i], unit: data.units[i], name: `layer ${data.layers[i]}, ${data.place} ${data.units[i]}`,
      told: data.methods.map((name) => `${name} ${data.scores[name][i]} (place ${ranks[name][i]})`).join("; "),
      more: [massive.has(i) ? "massive" : "", ...data.methods.filter((name) => chosenBy[name].has(i)).map((name) => `chosen by ${name}`)]
        .filter(Boolean).join(", ") || "–",
    });
    const mapRows = () => {
      const scores = data.scores[shown.value], highest = Math.max(...scores.map(Math.abs)) || 1, seen = {};
      const rows = scores.map((value, i) => ({ ...about(i), rank: ranks[shown.value][i],
        depth: Math.sign(value) * Math.sqrt(Math.abs(value) / highest) }));
      for (const row of [...rows].sort((a, b) => a.rank - b.rank)) row.inlayer = seen[row.layer] = (seen[row.layer] ?? -1) + 1;
      return rows;
    };
    const againstRows = () => data.layers.map((_, i) => {
      const [one, two] = [chosenBy[x.value].has(i), chosenBy[y.value].has(i)];
      const series = one && two ? "chosen by both" : one ? "chosen by the one across" : two ? "chosen by the one upwards" : "chosen by neither";
      return { ...about(i), x: data.scores[x.value][i], y: data.scores[y.value][i], series, front: one || two ? 1 : 0,
        rank: Math.min(ranks[x.value][i], ranks[y.value][i]) };
    });
    async function feed(chart, rows) {
      if (!drawn.has(chart)) return draw(chart, rows);
      const view = await draw(chart);
      return view.data("units", rows).runAsync();
    }
    const limit = () => { for (const chart of [map, against]) if (DATA.charts[chart]) signal(chart, "best", Number(best.value) || 1e9); };
    const zoom = () => {
      const whole = (field, low, high, usual) => Math.min(Math.max(Math.round(Number(field.value || usual)), low), high);
      const from = whole(first, 0, data.width - 1, 0), to = whole(last, from + 1, data.width, data.width);
      [first.value, last.value] = [from, to];
      signal(map, "first", from);
      signal(map, "last", to);
    };
    const refill = () => feed(map, mapRows());
    const recross = async () => {
      if (!DATA.charts[against]) return;
      await feed(against, againstRows());
      signal(against, "across", data.axes[x.value]);
      signal(against, "upwards", data.axes[y.value]);
    };
    const lastName = data.methods[data.methods.length - 1];
    box.append(
      control(`${place}.map`, "Map of", shown, data.methods[0], refill),
      control(`${place}.order`, "Order by", order, "unit", () => signal(map, "order", order.value)),
      control(`${place}.best`, "Only", best, "0", limit),
      control(`${place}.first`, "From unit", first, "0", zoom),
      control(`${place}.last`, "up to", last, String(data.width), zoom));
    const whole = make("button", { type: "button" }, "Whole width");
    whole.addEventListener("click", () => setZoom(0, data.width));
    box.append(whole);
    if (DATA.charts[against]) {
      box.append(make("div", {}, control(`${place}.x`, "Across", x, data.methods[0], recross),
        control(`${place}.y`, "against", y, lastName, recross)));
    }
    const words = data.methods.filter((name) => data.words[name]).map((name) => `${name}: ${data.words[name]}`).join(". ");
    const some = data.layers.length < data.all ? ` The highest ${data.layers.length} of ${data.all} neurons are here.` : "";
    const hit = make("p", { class: "head", role: "status" });
    box.append(make("p", { class: "head" }, `${words}.${some}`), hit);
    function setZoom(from, to) {
      [first.value, last.value] = [from, to];
      keep(`${place}.first`, from, 0);
      keep(`${place}.last`, to, data.width);
      zoom();
    }
    const start = async () => {
      await Promise.all([refill(), recross()]);
      limit();
      zoom();
      signal(map, "order", order.value);
      for (const field of all(`[data-layers="${CSS.escape(place)}"], [data-series="${CSS.escape(against)}"]`)) {
        field.dispatchEvent(new Event("change"));
      }
      for (const chart of chartsIn(document.getElementById(place))) {
        (await draw(chart)).addEventListener("click", (_, mark) => {
          if (mark?.datum?.unit === undefined) return;
          const name = `${mark.datum.layer}:${mark.datum.unit}`, card = `${place.replace(/neurons$/, "")}neuron-${name}`;
          if (document.getElementById(card)) location.hash = card;
          else if (data.place === "unit") hit.textContent = `${name} has no card in this page; make it with: ${data.card.replace("LAYER:UNIT", name)}`;
        });
      }
      const view = await draw(map);
      let from = null;
      const unitAt = (event) => {
        const box = view.container().querySelector("canvas").getBoundingClientRect();
        return Math.round(view.scale("x").invert(event.clientX - box.left - view.origin()[0] - view.padding().left));
      };
      view.container().addEventListener("pointerdown", (event) => { from = unitAt(event); });
      window.addEventListener("pointerup", (event) => {
        if (from !== null) {
          const [a, b] = [from, unitAt(event)].sort((p, q) => p - q);
          if (b - a >= 3) setZoom(Math.max(0, a), Math.min(data.width, b));
        }
        from = null;
      });
    };
    starts.set(place, start);
  }

  /* ---- the page ---- */

  const TOOLS = { activations: activationsTool, cards: cardsTool, pairs: pairsTool, list: listTool, doses: dosesTool, texts: textsTool, units: unitsTool };
  const starts = new Map();  // what a tool does when its part is first seen
  const started = [];
  let ready = false;

  function showView() {
    const views = all(".view"), menu = document.getElementById("views");
    const now = Math.min(Number(chosen.get("view")) || 0, views.length - 1);
    if (menu) menu.value = String(now);
    views.forEach((view, i) => { view.hidden = i !== now; });
    drawVisible();
    window.dispatchEvent(new Event("resize"));  // a chart that was drawn while it was hidden has no width yet
    for (const [place, start] of starts) {
      if (!document.getElementById(place).closest("[hidden]")) {
        starts.delete(place);
        started.push(start());
      }
    }
  }

  function goTo() {
    const place = chosen.get("at"), part = place && document.getElementById(place);
    const view = part?.closest(".view"), sheet = part?.dataset.sheet;
    if (sheet) {
      keep(`${sheet}.of`, place);
      for (const action of restore) action();
    }
    if (view?.hidden) {
      keep("view", view.dataset.view, "0");
      showView();
    }
    part?.scrollIntoView();
  }

  read();
  document.getElementById("views")?.addEventListener("change", (event) => {
    chosen.delete("at");
    keep("view", event.target.value, "0");
    showView();
  });
  for (const box of all("[data-tool]")) {
    const place = box.dataset.place;
    TOOLS[box.dataset.tool](box, DATA.tools[place], place);
  }
  all("[data-series]").forEach(seriesSwitches);
  all("[data-choice]").forEach(choiceMenu);
  all("[data-layers]").forEach(layerSwitches);
  all("[data-numbers]").forEach(numbers);
  showView();
  ready = true;
  goTo();
  window.addEventListener("hashchange", () => {
    read();
    keep("", "", "");
    ready = false;
    for (const action of restore) action();
    ready = true;
    showView();
    goTo();
  });
  document.getElementById("copy").addEventListener("click", async () => {
    const told = document.getElementById("copied");
    try {
      await navigator.clipboard.writeText(location.href);
      told.textContent = "copied";
    } catch {
      told.textContent = location.href;
    }
  });
  Promise.all([...drawn.values(), ...started]).then(() => { document.documentElement.dataset.ready = "yes"; });
})();
