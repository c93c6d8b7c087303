/// The look of a report: light and dark, screen and paper; no fonts or links from elsewhere.
let styleSheet = """
    :root {
      color-scheme: light dark;
      --text: #1c2024; --quiet: #5c6570; --page: #ffffff; --soft: #f4f5f7; --line: #d9dde3;
      --accent: #00609a; --best: #e6f2ea;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --text: #e4e7eb; --quiet: #a0a9b4; --page: #15181c; --soft: #20252b; --line: #363d46;
        --accent: #7cc0ee; --best: #1f3a2b;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--page); color: var(--text);
      font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
      -webkit-text-size-adjust: 100%;
    }
    main { max-width: 900px; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
    header { margin-bottom: 2rem; padding-bottom: 1.25rem; border-bottom: 1px solid var(--line); }
    h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; }
    h1 { margin: 0; font-size: 2.1rem; letter-spacing: -0.015em; }
    h2 { margin: 2.8rem 0 0.8rem; font-size: 1.45rem; }
    h3 { margin: 2rem 0 0.6rem; font-size: 1.15rem; }
    h4 { margin: 1.5rem 0 0.5rem; font-size: 1rem; }
    p { margin: 0 0 1rem; max-width: 72ch; overflow-wrap: anywhere; }
    .subtitle { margin: 0.5rem 0 0; color: var(--quiet); font-size: 1.1rem; }
    code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
    code { font-size: 0.88em; background: var(--soft); padding: 0.1em 0.35em; border-radius: 4px; }
    pre {
      margin: 1rem 0; padding: 0.9rem 1.1rem; overflow-x: auto; background: var(--soft);
      border-radius: 8px; line-height: 1.5;
    }
    pre code { padding: 0; background: none; font-size: 0.85rem; }
    dl { margin: 1rem 0 1.5rem; }
    dl div {
      display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: 0 1.25rem;
      padding: 0.35rem 0; border-bottom: 1px solid var(--line);
    }
    dt { color: var(--quiet); }
    dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .table { margin: 1.5rem 0 2rem; overflow-x: auto; }
    table {
      border-collapse: collapse; min-width: 50%; font-size: 0.94rem; font-variant-numeric: tabular-nums;
    }
    caption, figcaption { color: var(--quiet); font-size: 0.92rem; line-height: 1.5; text-align: left; }
    caption { padding-bottom: 0.6rem; }
    caption b, figcaption b { color: var(--text); }
    th, td { padding: 0.42rem 0.9rem; text-align: left; vertical-align: baseline; }
    th { font-weight: 600; border-bottom: 2px solid var(--line); white-space: nowrap; }
    td { border-bottom: 1px solid var(--line); }
    th abbr { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
    .right { text-align: right; }
    .centre { text-align: center; }
    td.right { white-space: nowrap; }
    td.best { background: var(--best); }
    figure { margin: 1.75rem 0 2.25rem; }
    .card {
      background: #ffffff; color: #1c2024; border: 1px solid var(--line); border-radius: 10px;
      padding: 0.75rem; overflow: hidden;
    }
    .card svg { display: block; width: 100%; height: auto; margin: 0 auto; }
    .card.missing { padding: 1.5rem 1.75rem; border-style: dashed; }
    .card.missing p { margin: 0 0 0.4rem; }
    .card.missing code { background: #f0f1f3; }
    figcaption { margin-top: 0.7rem; max-width: 80ch; }
    details { margin: 1.25rem 0; border: 1px solid var(--line); border-radius: 8px; padding: 0 1.1rem; }
    details > summary {
      margin: 0 -1.1rem; padding: 0.6rem 1.1rem; cursor: pointer; color: var(--accent); font-weight: 500;
    }
    details > :last-child { margin-bottom: 1rem; }
    summary:focus-visible { outline: 2px solid var(--accent); border-radius: 8px; }
    @media (max-width: 560px) {
      main { padding-top: 1.5rem; }
      dl div { grid-template-columns: 1fr; }
    }
    @media print {
      @page { margin: 18mm; }
      :root {
        --text: #000000; --quiet: #444444; --page: #ffffff; --soft: #f4f5f7; --line: #cccccc;
        --accent: #000000; --best: #e6f2ea;
      }
      body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
      main { max-width: none; padding: 0; }
      h2, h3, h4, caption { break-after: avoid; }
      figure, tr, dl div { break-inside: avoid; }
      pre { white-space: pre-wrap; }
      .table { overflow: visible; }
    }
    """
