// The frame of a panel: a title, what belongs beside it, and a sign when its data cannot be read.

import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  area: string;
  aside?: ComponentChildren;
  trouble?: string | undefined;
  loading?: boolean;
  children: ComponentChildren;
}

export function Panel({ title, area, aside, trouble, loading = false, children }: Props) {
  const name = `panel-${area}`;
  return (
    <section class={`panel panel-${area}`} aria-labelledby={name} aria-busy={loading}>
      <header class="panel-head">
        <h2 id={name}>{title}</h2>
        {trouble ? (
          <span class="pill bad" title={trouble}>
            not up to date
          </span>
        ) : null}
        <div class="panel-aside">{aside}</div>
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}
