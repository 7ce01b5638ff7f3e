import { useEffect, useRef, useState } from "preact/hooks";
import { readEvents } from "./connection";

const KEPT_LINES = 400;

/** A machine's journal, as it comes. It is read while it is shown. */
export function Journal({ node }: { node: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <p class="buttons">
        <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Hide the journal" : "Show the journal"}
        </button>
      </p>
      {isOpen && <Lines node={node} />}
    </>
  );
}

function Lines({ node }: { node: string }) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const end = new AbortController();
    let waiting: string[] = [];
    const show = setInterval(() => {
      const more = waiting;
      waiting = [];
      if (more.length > 0) setLines((present) => [...present, ...more].slice(-KEPT_LINES));
    }, 200);
    readEvents(
      `/journal?node=${encodeURIComponent(node)}`,
      (_event, data) => waiting.push(JSON.parse(data)),
      end.signal,
    )
      .catch(() => undefined)
      .finally(() => waiting.push("— the journal's connection has ended —"));
    return () => {
      clearInterval(show);
      end.abort();
    };
  }, [node]);
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
    <pre class="journal" ref={box} tabIndex={0} role="log" aria-label={`Journal of ${node}`}>
      {lines.join("\n")}
    </pre>
  );
}
