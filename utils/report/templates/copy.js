"use strict";
/* A button beside each command that copies it. */
for (const code of document.querySelectorAll("code.command")) {
  const button = medq.element("button", { type: "button", class: "copy", "aria-label": "Copy this command" }, "Copy");
  const said = medq.element("output", { class: "visually-hidden" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = said.textContent = "Copied";
    } catch { // a browser that does not let pages from disk copy: the reader presses the keys
      getSelection().selectAllChildren(code);
      button.textContent = said.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  code.after(" ", button, said);
}
