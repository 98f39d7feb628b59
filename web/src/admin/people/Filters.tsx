import { Button, NativeSelect } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import classes from "../parts/parts.module.css";
import { TypedFilter } from "../parts/TypedFilter";
import { LEVELS, ORDERS, type PeopleSearch, STATUSES } from "../search";
import { useWords } from "../words";

/** Changes what the address asks for; the list begins at its first page again. */
export function useFilter() {
  const navigate = useNavigate({ from: "/admin/people" });
  return (changed: PeopleSearch) =>
    navigate({
      search: (now: PeopleSearch) => ({ ...now, ...changed, cursor: undefined }),
      replace: true,
      resetScroll: false,
    });
}

const VERIFIED: Record<string, boolean> = { yes: true, no: false };

export function Filters({ search }: { search: PeopleSearch }) {
  const words = useWords();
  const w = words.people;
  const set = useFilter();
  const navigate = useNavigate({ from: "/admin/people" });
  const all = { value: "", label: words.any };
  /** The choices, and which one was made. */
  const choices = <T extends string>(values: readonly T[], labels: Record<T, string>) => [
    all,
    ...values.map((value) => ({ value, label: labels[value] })),
  ];
  const chosen = <T extends string>(values: readonly T[], value: string) => values.find((one) => one === value);
  return (
    <search className={classes.filters} aria-label={w.filters}>
      <TypedFilter
        className={classes.wide}
        type="search"
        label={w.search}
        placeholder={w.searchHint}
        maxLength={254}
        leftSection={<IconSearch size={18} aria-hidden />}
        value={search.search ?? ""}
        onValue={(typed) => set({ search: typed || undefined })}
      />
      <NativeSelect
        label={w.status}
        value={search.status ?? ""}
        onChange={(event) => set({ status: chosen(STATUSES, event.currentTarget.value) })}
        data={choices(STATUSES, w.statuses)}
      />
      <NativeSelect
        label={w.address}
        value={search.verified === undefined ? "" : search.verified ? "yes" : "no"}
        onChange={(event) => set({ verified: VERIFIED[event.currentTarget.value] })}
        data={[all, { value: "yes", label: w.verified }, { value: "no", label: w.unverified }]}
      />
      <NativeSelect
        label={w.level}
        value={search.level ?? ""}
        onChange={(event) => set({ level: chosen(LEVELS, event.currentTarget.value) })}
        data={choices(LEVELS, w.levels)}
      />
      <TypedFilter
        label={w.role}
        maxLength={64}
        value={search.role ?? ""}
        onValue={(typed) => set({ role: typed || undefined })}
      />
      <NativeSelect
        label={w.order}
        value={search.order ?? "newest"}
        onChange={(event) => set({ order: event.currentTarget.value === "oldest" ? "oldest" : undefined })}
        data={ORDERS.map((value) => ({ value, label: w.orders[value] }))}
      />
      <Button variant="default" onClick={() => navigate({ search: {}, replace: true, resetScroll: false })}>
        {w.clear}
      </Button>
    </search>
  );
}
