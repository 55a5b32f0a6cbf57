"use strict";
(() => {
  const stages = JSON.parse(document.getElementById("data").textContent);
  const tooltip = document.getElementById("tooltip");
  const rounded = (number) => number.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  function size(bytes) {
    if (bytes >= 2 ** 30 / 100) return rounded(bytes / 2 ** 30) + " GiB";
    if (bytes >= 2 ** 20) return rounded(bytes / 2 ** 20) + " MiB";
    return bytes >= 2 ** 10 ? rounded(bytes / 2 ** 10) + " KiB" : bytes + " B";
  }
  document.body.classList.add("scripted");

  // Text becomes text: nothing is ever read as HTML.
  function make(tag, classes, ...children) {
    const made = document.createElement(tag);
    if (classes) made.className = classes;
    made.append(...children);
    return made;
  }

  // -- stages

  const tabs = [...document.querySelectorAll("[role=tab]")];
  function choose(number) {
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === number));
      tab.tabIndex = at === number ? 0 : -1;
      document.getElementById("stage-" + at).hidden = at !== number;
    });
  }
  tabs.forEach((tab, at) => {
    tab.addEventListener("click", () => choose(at));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = (at + step + tabs.length) % tabs.length;
      choose(next);
      tabs[next].focus();
    });
  });
  if (tabs.length) choose(0);

  // -- what a figure says of a place in it

  function tensor(name, total, count, formula, shape, lines) {
    const made = make("div", "tensor", make("span", "", name), make("span", "", size(total)));
    const told = [formula && (count > 1 ? `${count} x ${formula}` : formula), shape].filter(Boolean).join("   ");
    if (told) made.append(make("code", "wide soft", told));
    if (lines.length) made.append(make("span", "wide soft", "spec: " + lines.map(([key, line]) => `${key} (line ${line})`).join(", ")));
    return made;
  }

  function ofColumn(timeline, number) {
    const [at, told, operator, bytes, largest] = timeline.columns[number];
    const parts = make("div", "parts");
    timeline.components.forEach((component, index) => {
      if (!bytes[index]) return;
      const swatch = make("span", "swatch");
      swatch.style.background = `var(--${component.colour})`;
      parts.append(make("span", "", swatch, `${component.name} ${size(bytes[index])}`));
    });
    const total = bytes.reduce((sum, one) => sum + one, 0);
    const where = `${told}: ${operator}, operator ${(at + 1).toLocaleString("en-US")} of ${timeline.count.toLocaleString("en-US")}`;
    const tensors = largest.map(([index, count]) => {
      const one = timeline.tensors[index];
      return tensor(one.name, one.bytes * count, count, one.formula, `${one.shape} ${one.dtype}`.trim(), one.lines);
    });
    return [make("b", "", size(total)), make("span", "soft", where), parts, ...tensors];
  }

  function ofPoint(keys, [values, needed, peak, saved, recomputed, share, verdict]) {
    const on = keys.filter((_, at) => values[at] === true).join(", ") || "no switch";
    const sizes = keys.map((key, at) => [key, values[at]]).filter(([, value]) => typeof value === "number");
    const name = [on, ...sizes.map(([key, value]) => `${key} = ${value}`)].join("; ");
    const numbers = `peak ${size(peak)}, saved ${size(saved)}, recomputed ${recomputed} (${share} % of the step)`;
    return [make("b", "", size(needed) + (verdict ? `, ${verdict}` : "")), make("span", "", name), make("div", "soft", numbers)];
  }

  function ofCell([component, name, bytes, layers, formula, shape, lines]) {
    const title = component === name ? name : `${component}`;
    const rest = component === name ? [] : [tensor(name, bytes, 1, formula, shape, lines)];
    return [make("b", "", `${size(bytes)}, ${title}`), ...(layers ? [make("span", "soft", layers)] : []), ...rest];
  }

  function show(children, x, y) {
    tooltip.replaceChildren(...children);
    tooltip.hidden = false;
    const box = tooltip.getBoundingClientRect();
    const left = x + 18 + box.width <= innerWidth - 8 ? x + 18 : x - 18 - box.width;
    tooltip.style.left = Math.max(8, Math.min(left, innerWidth - 8 - box.width)) + "px";
    tooltip.style.top = Math.max(8, Math.min(y - box.height / 2, innerHeight - 8 - box.height)) + "px";
  }
  const hide = () => { tooltip.hidden = true; };

  // -- figures

  stages.forEach((stage, number) => {
    const section = document.getElementById("stage-" + number);
    const plot = section.querySelector("[data-figure=timeline]");
    const cursor = plot.querySelector(".cursor");
    const columns = stage.timeline.columns.length;
    let column = stage.timeline.columns.reduce((best, one, at, all) => {
      const total = (each) => each[3].reduce((sum, bytes) => sum + bytes, 0);
      return total(one) > total(all[best]) ? at : best;
    }, 0);

    function point(at, y) {
      column = Math.max(0, Math.min(columns - 1, at));
      const box = plot.getBoundingClientRect();
      const x = ((column + 0.5) / columns) * 100 + "%";
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.setAttribute("visibility", "visible");
      show(ofColumn(stage.timeline, column), box.left + ((column + 0.5) / columns) * box.width, y ?? box.top + box.height / 2);
    }
    const leave = () => { cursor.setAttribute("visibility", "hidden"); hide(); };
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      point(Math.floor(((event.clientX - box.left) / box.width) * columns), event.clientY);
    });
    plot.addEventListener("pointerleave", leave);
    plot.addEventListener("blur", leave);
    plot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 24, PageUp: -24, Home: -columns, End: columns }[event.key];
      if (event.key === "Escape") leave();
      if (!step) return;
      event.preventDefault();
      point(column + step);
    });

    function hovered(selector, key, tell) {
      section.querySelectorAll(selector).forEach((mark) => {
        const children = () => tell(Number(mark.dataset[key]));
        mark.addEventListener("pointermove", (event) => show(children(), event.clientX, event.clientY));
        mark.addEventListener("pointerleave", hide);
        mark.addEventListener("focus", () => {
          const box = mark.getBoundingClientRect();
          show(children(), box.right, box.top + box.height / 2);
        });
        mark.addEventListener("blur", hide);
      });
    }
    hovered("[data-point]", "point", (at) => ofPoint(stage.settings.keys, stage.settings.points[at]));
    hovered("[data-cell]", "cell", (at) => ofCell(stage.peak[at]));
  });
  addEventListener("scroll", hide, { passive: true });
})();
