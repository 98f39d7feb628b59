// The texts of the administration.

import { useTexts } from "../i18n";
import { de } from "./messages/de";
import { en, type Messages } from "./messages/en";

const TEXTS = { en, de };

export function useWords(): Messages {
  return useTexts(TEXTS);
}
