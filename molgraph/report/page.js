"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { targets, rows, own, extra, alerts: warns } = data;
  const many = targets.length > data.few, neighbours = rows.some((row) => row.near);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";

  // Every text goes in as text and every picture as an image, so nothing in a user's file can become markup.
  const make = (tag, kind, ...inside) => {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    node.append(...inside.filter((x) => x !== null && x !== ""));
    return node;
  };
  const shape = (tag, attributes) => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const picture = (place, what) => {
    const image = make("img", data.pictures[place].includes("<image ") ? "picture pixels" : "picture");
    image.alt = what;
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(data.pictures[place]);
    return image;
  };
  // What would be rounded to 0 and is none keeps two digits.
  const show = (value, decimals) =>
    value === null ? "" : decimals > 6 ? value.toExponential(2)
      : value && Math.abs(value) < 0.5 * 10 ** -decimals ? String(Number(value.toPrecision(2))) : value.toFixed(decimals);
  const say = (value, target) => {
    if (value === null || !target.decades) return show(value, target.decimals);
    const digits = Number(value.toPrecision(3)), size = Math.abs(digits);
    return size >= 1e7 || (size > 0 && size < 1e-4) ? digits.toExponential() : digits.toLocaleString("en", { maximumSignificantDigits: 3 });
  };
  const textual = extra.map((_, k) => rows.some((row) => typeof row.extra[k] === "string"));
  const decimals = extra.map((_, k) => {
    const known = rows.map((row) => row.extra[k]).filter((value) => typeof value === "number");
    return known.every(Number.isInteger) ? 0 : known.every((value) => Math.abs(value) < 10) ? 2 : 1;
  });
  const title = (name) => name.replaceAll("_", " ");
  const alerts = (row) => row.extra.filter((value, k) => warns[k] && value);

  // One scale per target for the interval bars of all rows.
  const scales = targets.map((target, t) => {
    const known = rows.flatMap((row) => row.values[t]).filter((v) => v !== null);
    const decades = target.decades && known.every((v) => v > 0);
    const of = (value) => (decades ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value), ends = known.map(of);
    const low = Math.min(...ends), high = Math.max(...ends);
    return (value) => (high > low ? 4 + (232 * (of(value) - low)) / (high - low) : 120);
  });
  const bar = (t, [value, low, high], measured) => {
    const at = scales[t], box = shape("svg", { viewBox: "0 0 240 18", class: "bar", role: "img" });
    box.append(shape("line", { x1: 0, x2: 240, y1: 9, y2: 9, class: "axis" }));
    if (low !== null && high !== null) box.append(shape("line", { x1: at(low), x2: at(high), y1: 9, y2: 9, class: "interval" }));
    if (measured !== null) {
      const x = Math.min(Math.max(at(measured), 0), 240);
      box.append(shape("line", { x1: x, x2: x, y1: 2, y2: 16, class: "near" }));
    }
    box.append(shape("circle", { cx: at(value), cy: 9, r: 4.5 }));
    return box;
  };

  const orders = [{ name: "rank", of: (row) => row.rank, up: true }];
  targets.forEach((t, k) => orders.push({ name: t.name, of: (row) => row.values[k][0] }));
  if (rows.some((row) => row.wanted !== null)) orders.push({ name: "desirability", of: (row) => row.wanted });
  if (neighbours) orders.push({ name: "similarity", of: (row) => row.near && row.near.similarity });
  extra.forEach((name, k) => textual[k] || orders.push({ name, of: (row) => row.extra[k] }));
  const state = { order: orders[0], up: true, page: 0 };

  const valueCell = (row) => {
    const cell = make("td", "c-value" + (row.inside === false ? " far" : ""));
    if (row.inside !== null)
      cell.append(make("span", "flag " + (row.inside ? "in" : "out"), row.inside ? "in domain" : "out of domain"));
    if (row.diverse) cell.append(make("span", "flag pick", "diverse pick"));
    if (row.wanted !== null) cell.append(make("div", "quiet", "desirability " + row.wanted.toFixed(2)));
    if (row.doubt) cell.append(make("div", "quiet", row.doubt));
    const list = make("div", many ? "grid" : "");
    targets.forEach((target, t) => {
      const [value, low, high] = row.values[t];
      if (value === null) return;
      const ends = (row.far[t] ? "outside its domain; " : "") + (row.sets[t] || (low === null ? "" : `${say(low, target)} to ${say(high, target)}`));
      const name = many ? target.name : `${targets.length > 1 ? target.name : ""} ${target.units}`.trim();
      const shown = make("div", "target" + (row.far[t] ? " far" : ""),
        make("span", "number", say(value, target)), " ", make("span", "quiet", [name, row.natural[t]].filter((x) => x).join(", ")),
        bar(t, row.values[t], row.near && !row.near.bounds[t] ? row.near.measured[t] : null), make("div", "quiet", ends));
      shown.title = [target.units, target.meaning].filter((x) => x).join("; ");
      list.append(shown);
    });
    cell.append(list);
    return cell;
  };
  const nearCell = (row) => {
    const cell = make("td", "c-near"), near = row.near;
    if (near) {
      if (near.picture !== null) cell.append(picture(near.picture, "nearest measured: " + near.id));
      cell.append(make("div", "name", near.id));
      if (near.similarity !== null) cell.append(make("div", "quiet", "similarity " + near.similarity.toFixed(2)));
      targets.forEach((target, t) => {
        const value = near.measured[t], bound = near.bounds[t];  // rounded, a bound would say what nobody measured
        const of = near.others[t] ? ` (${near.others[t]})` : "";
        if (value !== null && value !== undefined)
          cell.append(...[make("div", "quiet", `measured ${targets.length > 1 ? target.name + " " : ""}${near.words[t] || (bound || row.sets[t] ? bound + value : say(value, target))}${of}`),
            near.natural[t] && make("div", "quiet", near.natural[t])].filter((x) => x));
      });
    }
    return cell;
  };
  const extraCell = (row) => {
    const cell = make("td", "c-extra"), list = make("dl", "extra");
    extra.forEach((name, k) => {
      const value = row.extra[k];
      if (warns[k] || value === null || value === "") return;
      const said = textual[k] ? String(value) : show(value, decimals[k]);
      list.append(make("div", "", make("dt", "", title(name)), make("dd", "", said)));
    });
    cell.append(list);
    extra.forEach((name, k) => {
      if (warns[k] && row.extra[k]) cell.append(make("span", "flag alert", `${title(name)}: ${row.extra[k]}`));
    });
    return cell;
  };
  const line = (row) => {
    const name = own.length && row.own[0] ? row.own[0] : "row " + row.row;
    const others = own.slice(1, 4).map((title, k) => (row.own[k + 1] ? make("div", "quiet own", `${title}: ${row.own[k + 1]}`) : ""));
    others.filter((each) => each).forEach((each) => (each.tabIndex = 0));
    const structure = make("td", "c-structure", picture(row.picture, row.key), make("div", "name", name), ...others);
    const smiles = make("div", "smiles", row.key);
    smiles.tabIndex = 0;
    structure.append(smiles);
    const rank = make("td", "c-rank rank", String(row.rank));
    return make("tr", "", rank, structure, valueCell(row), ...(neighbours ? [nearCell(row)] : []), ...(extra.length ? [extraCell(row)] : []));
  };

  const text = (row) => [row.key, ...row.own, ...alerts(row), row.near ? row.near.id : ""].join("\n").toLowerCase();
  const chosen = () => {
    const words = $("find").value.trim().toLowerCase(), { of } = state.order;
    const kept = rows.filter((row) => (!$("inside").checked || row.inside) && (!$("diverse").checked || row.diverse)
      && (!$("clean").checked || !alerts(row).length) && (!words || text(row).includes(words)));
    const key = (row) => (of(row) === null || of(row) === undefined ? null : of(row) * (state.up ? 1 : -1));
    return kept.sort((a, b) => (key(a) === null) - (key(b) === null) || key(a) - key(b) || a.rank - b.rank);
  };
  const draw = () => {
    const kept = chosen(), size = Number($("size").value), last = Math.max(Math.ceil(kept.length / size) - 1, 0);
    state.page = Math.min(state.page, last);
    const start = state.page * size, part = kept.slice(start, start + size);
    $("table").tBodies[0].replaceChildren(...part.map(line));
    $("where").textContent = kept.length ? `${start + 1} to ${start + part.length} of ${kept.length}` : "no row fits";
    $("previous").disabled = state.page === 0;
    $("next").disabled = state.page === last;
    for (const head of $("table").tHead.querySelectorAll("th")) {
      if (head.dataset.order === state.order.name) head.setAttribute("aria-sort", state.up ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    $("sort").value = state.order.name;
  };
  const sort = (name, turn) => {
    const order = orders.find((o) => o.name === name);
    state.up = turn && order === state.order ? !state.up : Boolean(order.up);
    state.order = order;
    state.page = 0;
    draw();
  };
  const turn = (step) => {
    state.page += step;
    draw();
    $("ranking").scrollIntoView();
  };

  const heads = [["c-rank", "rank", "rank"], ["c-structure", "", data.noun],
    ["c-value", targets[0].name, targets.length > 1 ? "predicted" : `predicted ${targets[0].name}`],
    ...(neighbours ? [["c-near", "similarity", "nearest measured"]] : []), ...(extra.length ? [["c-extra", "", warns.some(Boolean) ? "properties and alerts" : "properties"]] : [])];
  $("table").tHead.append(make("tr", "", ...heads.map(([kind, order, title]) => {
    const button = make("button", "", title), head = make("th", kind, button);
    button.type = "button";
    button.disabled = !order;
    head.scope = "col";
    head.dataset.order = order;
    if (order) button.addEventListener("click", () => sort(order, true));
    return head;
  })));
  $("sort").append(...orders.map((o) => make("option", "", o.name)));
  $("sort").addEventListener("change", () => sort($("sort").value, false));
  for (const id of ["inside", "diverse", "clean", "find", "size"])
    $(id).addEventListener("input", () => { state.page = 0; draw(); });
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("previous").addEventListener("click", () => turn(-1));
  $("next").addEventListener("click", () => turn(1));
  $("table").classList.toggle("many", many);
  for (const id of ["controls", "table", "pages"]) $(id).hidden = false;
  draw();
})();
