for (const table of document.querySelectorAll("table.sort")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const value = (row, at) => row.cells[at].dataset.v ?? row.cells[at].textContent;
  heads.forEach((head, at) => {
    if (head.classList.contains("fixed")) return;
    // Not a button: browsers leave that out where they print the heads again.
    const button = document.createElement("span");
    button.textContent = head.textContent;
    button.role = "button";
    button.tabIndex = 0;
    head.replaceChildren(button);
    button.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
    });
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => value(a, at).localeCompare(value(b, at), "en", { numeric: true }));
      body.append(...(down ? rows.reverse() : rows));
    });
  });
  if (body.rows.length < 8) continue;
  const label = document.createElement("label"), input = document.createElement("input");
  input.type = "search";
  label.append("Show only rows with ", input);
  table.parentElement.before(label);
  input.addEventListener("input", () => {
    const text = input.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(text);
  });
}
