import type { Card } from "../picture/boxes";
import { conditionOf, conditions, describeMachine, dutiesOf, type MachineCondition } from "../picture/condition";
import type { ViewState } from "../picture/state";
import { change } from "./store";

interface Props {
  readonly card: Card;
  readonly view: ViewState;
  readonly isSelected: boolean;
}

export function MachineCard({ card, view, isSelected }: Props) {
  const { machine, x, y, width, height, isTile } = card;
  const condition = conditionOf(view, machine);
  const select = (): void => change({ selected: isSelected ? undefined : machine.name });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    select();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons
    <g
      class={`card ${condition} ${isSelected ? "selected" : ""}`}
      role="button"
      tabindex={0}
      aria-pressed={isSelected}
      data-machine={machine.name}
      data-condition={condition}
      onClick={select}
      onKeyDown={onKeyDown}
    >
      <title>{describeMachine(view, machine)}</title>
      <rect class="body" x={x} y={y} width={width} height={height} rx={isTile ? 6 : 10} />
      <rect class="stripe" x={x} y={y + 8} width="4" height={height - 16} rx="2" />
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: the card has the focus; its title says the same */}
      <g aria-hidden="true">
        {isTile ? (
          <TileText card={card} condition={condition} />
        ) : (
          <CardText card={card} view={view} condition={condition} />
        )}
      </g>
    </g>
  );
}

function TileText({ card: { x, y, width, machine }, condition }: { card: Card; condition: MachineCondition }) {
  return (
    <>
      <text class="name small" x={x + 9} y={y + 17}>
        {machine.name}
      </text>
      <text class="word" x={x + width - 7} y={y + 33} text-anchor="end">
        {conditions[condition].sign}
      </text>
    </>
  );
}

const ROLES_IN_LINE = 3;

function CardText({ card, view, condition }: { card: Card; view: ViewState; condition: MachineCondition }) {
  const { x, y, width, machine } = card;
  const { sign, word } = conditions[condition];
  const lines = [machine.roles.slice(0, ROLES_IN_LINE), machine.roles.slice(ROLES_IN_LINE)]
    .filter((roles) => roles.length > 0)
    .map((roles) => roles.join(" · "));
  const duties = dutiesOf(view, machine.name).filter((duty) => !duty.startsWith("holds"));
  return (
    <>
      <text class="name" x={x + 14} y={y + 22}>
        {machine.name}
      </text>
      <text class="word" x={x + width - 12} y={y + 22} text-anchor="end">
        {condition === "healthy" ? sign : `${sign} ${word}`}
      </text>
      {[...lines, machine.address].map((line, index) => (
        <text key={line} class={index === lines.length ? "address" : "roles"} x={x + 14} y={y + 40 + index * 14}>
          {line}
        </text>
      ))}
      <Badges x={x + 7} y={y + 75} duties={duties} />
    </>
  );
}

const LETTER = 5.6;

function Badges({ x, y, duties }: { x: number; y: number; duties: readonly string[] }) {
  let at = x;
  return (
    <g class="badges">
      {duties.map((duty) => {
        const width = Math.round(duty.length * LETTER) + 9;
        const left = at;
        at += width + 3;
        return (
          <g key={duty}>
            <rect x={left} y={y} width={width} height="17" rx="8.5" />
            <text x={left + width / 2} y={y + 12} text-anchor="middle">
              {duty}
            </text>
          </g>
        );
      })}
    </g>
  );
}
