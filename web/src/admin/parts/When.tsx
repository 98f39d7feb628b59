import { Tooltip } from "@mantine/core";
import { useFormats } from "../../i18n";
import classes from "./parts.module.css";
import "@mantine/core/styles/Tooltip.layer.css";

/** How long ago something was or how soon it will be, in words; the exact time with the pointer or the focus on it. */
export function When({ at }: { at: number }) {
  const formats = useFormats();
  return (
    <Tooltip label={formats.dateTime(at)} events={{ hover: true, focus: true, touch: true }} withinPortal>
      <time className={classes.when} dateTime={new Date(at * 1000).toISOString()} tabIndex={0}>
        {formats.ago(at, Date.now() / 1000)}
      </time>
    </Tooltip>
  );
}
