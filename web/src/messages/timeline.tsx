// The scrolling part of a room. Only the rows near the screen are in the page. At the bottom it follows what comes;
// elsewhere the row that the reader looks at stays where it is, whatever comes above or below or changes its height.
import { Component, createRef, type ComponentChildren } from 'preact';
import type { Entry, Row } from './rows';
import { Rows } from './rows';

const AROUND_PX = 900;
const BOTTOM_PX = 48;
const AHEAD_PX = 1600;
const SETTLES_MAX = 6;

interface TimelineProps {
  entries: readonly Entry[];
  newFrom: string | null;
  myId: string;
  hasOlder: boolean;
  label: string;
  /** Another value: all rows are drawn again (names have changed). */
  version: unknown;
  activeKey: string | null;
  head: ComponentChildren;
  draw: (row: Row, isLast: boolean) => ComponentChildren;
  onOlder: () => void;
  /** The newest is (not) on the screen any more. */
  onBottom: (isThere: boolean) => void;
  /** What is new begins above the screen (or not any more). */
  onNewAbove: (isAbove: boolean) => void;
  onKeyDown: (event: KeyboardEvent) => void;
  /** Whether the first new row should be brought to the top when it is first there. */
  openAtNew: boolean;
}

interface Range {
  start: number;
  end: number;
}

export class Timeline extends Component<TimelineProps> {
  rows = new Rows();
  #scroller = createRef<HTMLDivElement>();
  #head = createRef<HTMLDivElement>();
  #list = createRef<HTMLDivElement>();
  #above = createRef<HTMLDivElement>();
  #below = createRef<HTMLDivElement>();
  #sticky = true;
  #anchor = { key: '', offset: 0 };
  #range: Range = { start: 0, end: 0 };
  #view = 0;
  #top = 0; // of the scroller, as last set or told
  #settles = 0;
  #opened = false;
  #resizes: ResizeObserver | null = null;
  #told: boolean | null = null;
  #newAbove = false;

  get isAtBottom(): boolean {
    return this.#sticky;
  }

  toBottom(): void {
    this.#place(true);
    this.forceUpdate();
  }

  /** Brings a row to about a quarter of the height; false when it is not there. */
  show(key: string, part = 0.25): boolean {
    const at = this.rows.indexOf(key);
    if (at < 0) return false;
    this.#place(false);
    this.#anchor = { key, offset: -Math.round(this.#scroller.current!.clientHeight * part) };
    this.forceUpdate();
    return true;
  }

  /** Moves so little that the row is wholly on the screen, and gives it the focus. */
  focusRow(index: number): void {
    const row = this.rows.list[index];
    if (!row) return;
    const scroller = this.#scroller.current!;
    const head = this.#head.current!.offsetHeight;
    const [top, bottom] = [head + this.rows.tops[index]!, head + this.rows.tops[index + 1]!];
    if (top < scroller.scrollTop) this.#to(top - 8);
    else if (bottom > scroller.scrollTop + scroller.clientHeight) this.#to(bottom - scroller.clientHeight + 8);
    const find = () => this.#list.current!.querySelector<HTMLElement>(`[data-key="${CSS.escape(row.key)}"] .message`);
    this.forceUpdate(() => find()?.focus({ preventScroll: true }));
  }

  override componentDidMount(): void {
    this.#resizes = new ResizeObserver(() => {
      this.#noteMoved();
      this.#settles = 0;
      this.#settle();
    });
    this.#resizes.observe(this.#scroller.current!);
    this.#resizes.observe(this.#list.current!);
    this.componentDidUpdate();
  }

  override componentDidUpdate(): void {
    this.#openAtNew();
    this.#settle();
  }

  override componentWillUnmount(): void {
    this.#resizes?.disconnect();
  }

  render({ entries, newFrom, myId, hasOlder, label, head, draw, onKeyDown }: TimelineProps) {
    this.#noteMoved();
    this.rows.update(entries, newFrom, myId, hasOlder);
    this.#range = this.#wanted(AROUND_PX);
    const { start, end } = this.#range;
    const { list } = this.rows;
    return (
      <div class="timeline" ref={this.#scroller} onScroll={this.#scrolled} onKeyDown={onKeyDown} role="log" aria-live="off"
        aria-label={label} tabIndex={0}>
        <div class="timeline-inner">
          <div class="timeline-head" ref={this.#head}>{head}</div>
          <div ref={this.#above} />
          <div ref={this.#list} class="timeline-rows">
            {list.slice(start, end).map((row, i) => (
              <div key={row.key} class="row" data-key={row.key}>{draw(row, start + i === list.length - 1)}</div>
            ))}
          </div>
          <div ref={this.#below} />
        </div>
      </div>
    );
  }

  #wanted(around: number): Range {
    const { rows } = this;
    const view = this.#scroller.current?.clientHeight || 800;
    const top = this.#sticky ? rows.total - view : this.#anchorTop();
    return { start: rows.indexAt(top - around), end: Math.min(rows.list.length, rows.indexAt(top + view + around) + 1) };
  }

  #anchorTop(): number {
    const at = this.rows.indexOf(this.#anchor.key);
    return (at < 0 ? 0 : this.rows.tops[at]!) + this.#anchor.offset;
  }

  // After each drawing: how high the rows really are, and back to where the reader was.
  #settle = (): void => {
    const scroller = this.#scroller.current;
    if (!scroller) return;
    const { start, end } = this.#range;
    const { rows } = this;
    let changed = -1;
    const elements = this.#list.current!.children;
    for (let i = start; i < end; i++) {
      const element = elements[i - start];
      if (!element) break;
      const { height } = element.getBoundingClientRect();
      if (Math.abs(rows.list[i]!.height - height) < 0.1) continue;
      rows.list[i]!.height = height;
      if (changed < 0) changed = i;
    }
    if (changed >= 0) rows.layOut(changed);
    this.#above.current!.style.height = `${rows.tops[start] ?? 0}px`;
    this.#below.current!.style.height = `${rows.total - (rows.tops[end] ?? 0)}px`;
    this.#view = scroller.clientHeight;
    const target = this.#sticky ? scroller.scrollHeight - scroller.clientHeight
      : this.#head.current!.offsetHeight + this.#anchorTop();
    if (Math.abs(scroller.scrollTop - target) >= 1) scroller.scrollTop = target;
    this.#top = scroller.scrollTop;
    this.#redrawIfNeeded();
    this.#tell();
  };

  #redrawIfNeeded(): void {
    const need = this.#wanted(0);
    if ((need.start >= this.#range.start && need.end <= this.#range.end) || this.#settles > SETTLES_MAX) return;
    this.#settles++;
    this.forceUpdate();
  }

  #scrolled = (): void => {
    const scroller = this.#scroller.current!;
    // The keyboard of a phone, or the composer that grew: not the reader's doing.
    if (scroller.clientHeight !== this.#view) return this.#settle();
    this.#moved(scroller);
    this.#settles = 0;
    const need = this.#wanted(AROUND_PX / 3);
    if (need.start < this.#range.start || need.end > this.#range.end) this.forceUpdate();
    this.#tell();
  };

  #moved({ scrollTop, scrollHeight, clientHeight }: HTMLElement): void {
    this.#top = scrollTop;
    this.#sticky = scrollHeight - scrollTop - clientHeight < BOTTOM_PX;
    this.#anchorAt(scrollTop - this.#head.current!.offsetHeight);
  }

  // The reader may have moved and the event of it not have come yet: a drawing must not undo that.
  #noteMoved(): void {
    const scroller = this.#scroller.current;
    if (!scroller || scroller.clientHeight !== this.#view) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    const isCutShort = scrollTop < this.#top && scrollHeight - clientHeight - scrollTop < 1;
    if (Math.abs(scrollTop - this.#top) >= 1 && !isCutShort) this.#moved(scroller);
  }

  #anchorAt(y: number): void {
    const at = this.rows.indexAt(y);
    const row = this.rows.list[at];
    if (row) this.#anchor = { key: row.key, offset: y - this.rows.tops[at]! };
  }

  // From here on, wherever the reader moved to before.
  #place(isSticky: boolean): void {
    this.#sticky = isSticky;
    this.#top = this.#scroller.current?.scrollTop ?? 0;
  }

  #to(y: number): void {
    this.#place(false);
    this.#anchorAt(y - this.#head.current!.offsetHeight);
  }

  // A room with something new opens where the new begins.
  #openAtNew(): void {
    if (this.#opened || !this.rows.list.length) return;
    if (!this.props.openAtNew) return;
    this.#opened = true;
    const at = this.rows.newAt;
    if (at < 0) return;
    const scroller = this.#scroller.current!;
    if (this.rows.total - this.rows.tops[at]! < scroller.clientHeight) return;
    this.show(this.rows.list[at]!.key, 0.2);
  }

  #tell(): void {
    const { scrollTop } = this.#scroller.current!;
    if (scrollTop < AHEAD_PX && this.rows.list.length) this.props.onOlder();
    if (this.#sticky || this.#told !== this.#sticky) this.props.onBottom(this.#sticky);
    this.#told = this.#sticky;
    const { newAt, tops } = this.rows;
    const isAbove = this.props.newFrom !== null && this.props.openAtNew
      && (newAt < 0 || this.#head.current!.offsetHeight + tops[newAt]! < scrollTop - 1);
    if (isAbove !== this.#newAbove) this.props.onNewAbove(isAbove);
    this.#newAbove = isAbove;
  }
}
