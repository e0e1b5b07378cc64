document.querySelectorAll("table").forEach((table) => {
  const body = table.tBodies[0];
  table.querySelectorAll("th button").forEach((button) => {
    button.addEventListener("click", () => {
      const head = button.parentElement;
      const column = [...head.parentElement.children].indexOf(head);
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
      const rows = [...body.rows].map((row, place) => [value(row), place, row]);
      const number = (text) => (text === "inf" ? Infinity : text === "-inf" ? -Infinity : Number(text));
      const numeric = rows.every(([text]) => text !== "" && !Number.isNaN(number(text)));
      const order = numeric ? (a, b) => number(a) - number(b) : (a, b) => a.localeCompare(b, "en", { numeric: true });
      const same = (a, b) => (numeric ? number(a) === number(b) : a === b);
      rows.sort((a, b) => (same(a[0], b[0]) ? a[1] - b[1] : (down ? -1 : 1) * order(a[0], b[0])));
      rows.forEach(([, , row]) => body.append(row));
    });
  });
});
