// What the server was asked is kept, and shared by the components that need it.

import { QueryClient, queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { BASE } from "./base";
import { type components, HallpassError } from "./hallpass";

type Configuration = components["schemas"]["Configuration"];

/** Failures that may be over in a moment; any other answer stays the same however often one asks. */
const PASSING = ["network", "busy", "unavailable", "revocation_unknown", "deadline_exceeded"];

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) => count < 2 && (!(error instanceof HallpassError) || PASSING.includes(error.code)),
    },
    // Offline a form says so, instead of waiting without a word.
    mutations: { networkMode: "always" },
  },
});

const configurationQuery = queryOptions({
  queryKey: ["configuration"],
  queryFn: async (): Promise<Configuration> => {
    const response = await fetch(`${BASE}/api/v1/configuration`);
    if (!response.ok) throw await HallpassError.from(response);
    return response.json();
  },
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
});

/** Asks what the pages need to know about the server, before there is any page. */
export function loadConfiguration() {
  return queryClient.ensureQueryData(configurationQuery);
}

/** What the pages need to know about the server. */
export function useConfiguration() {
  return useSuspenseQuery(configurationQuery).data;
}
