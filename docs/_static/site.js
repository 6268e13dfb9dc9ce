// What furo and docutils leave out: names of the two side columns, a heading of the search page, and table headers without
// text; also keyboard access to code and tables that scroll.
const NAMES = { "aside.sidebar-drawer": "Pages", "aside.toc-drawer": "On this page" };

function prepare() {
  for (const [selector, name] of Object.entries(NAMES)) {
    document.querySelectorAll(selector).forEach((each) => each.setAttribute("aria-label", name));
  }
  document.querySelectorAll("pre, .table-wrapper, mjx-container").forEach((each) => {
    if (each.scrollWidth > each.clientWidth) each.setAttribute("tabindex", "0");
    else each.removeAttribute("tabindex");
  });
}

function repair() {
  document.querySelectorAll("thead th").forEach((each) => {
    if (!each.textContent.trim()) each.replaceWith(document.createElement("td"));
  });
  const article = document.querySelector("#furo-main-content");
  if (article && !document.querySelector("h1")) {
    const heading = document.createElement("h1");
    heading.textContent = "Search";
    article.prepend(heading);
  }
}

document.addEventListener("DOMContentLoaded", repair);
addEventListener("load", prepare);
addEventListener("resize", prepare);
