/** Every text of the components, in English, by the name under which `messages` replaces it. */
export const english = {
  "sign_in": "Sign in",
  "sign_up": "Create account",
  "forgotten_password": "Send link",
  "reset_password": "Set password",
  "account": "Save",
  "change_password": "Change password",
  "change_email": "Send link",
  "delete_account": "Delete account",
  "retry": "Try again",
  "show": "Show",
  "show_password": "Show password",
  "optional": "(optional)",

  "label.name": "User name or e-mail address",
  "label.username": "User name",
  "label.email": "E-mail address",
  "label.new_email": "New e-mail address",
  "label.password": "Password",
  "label.current_password": "Current password",
  "label.new_password": "New password",
  "label.remember": "Stay signed in",
  "label.first_name": "First name",
  "label.last_name": "Last name",
  "label.locale": "Language of e-mails",

  "hint.password": "At least {count} characters",
  "hint.delete_now": "Everything that belongs to the account is deleted at once.",
  "hint.delete": "The account is deleted after {days} days. Signing in before then keeps it.",

  "done.sign_up": "We have sent you an e-mail. Follow its link, then sign in.",
  "done.forgotten_password": "If an account has this address, an e-mail with a link is on its way.",
  "done.reset_password": "Your password is set. Sign in with it now.",
  "done.account": "Saved.",
  "done.change_password": "Your password is changed. You are signed out on all other devices.",
  "done.change_email": "We have sent an e-mail to the new address. Follow its link to confirm it.",
  "done.delete_account": "Your account will be deleted on {date}.",

  "sessions": "Devices where you are signed in",
  "session.current": "this device",
  "session.used": "Last used {date}",
  "session.since": "Signed in {date}",
  "session.unknown": "Unknown device",
  "session.on": "{browser} on {system}",
  "session.end": "Sign out",
  "session.end_of": "Sign out {device}",
  "session.end_others": "Sign out all other devices",

  "error.required": "Fill in this field",
  "error.required_choice": "Tick this box to go on",
  "error.not_whole": "Enter a whole number",
  "error.rate_limited": "Too many attempts. Try again {when}.",
  "error.busy": "The server is busy. Try again {when}.",
  "error.network": "The server cannot be reached. Check your connection and try again.",
  "error.password_incorrect": "This is not the current password",
  "error.sign_up_closed": "New accounts cannot be made here.",
  "error.mail_off": "This server sends no e-mail. Ask whoever runs it for help.",
  "error.internal": "Something went wrong on our side. Try again in a moment.",
} as const;

/** Texts by their names. `profile.NAME` labels a profile field, `error.CODE` tells any failure. */
export type Messages = Readonly<Partial<Record<string, string>>>;

/** The texts in German. Failures that English takes from the server's `detail` are here by their code. */
export const german: Record<keyof typeof english, string> & Messages = {
  "sign_in": "Anmelden",
  "sign_up": "Konto anlegen",
  "forgotten_password": "Link senden",
  "reset_password": "Passwort setzen",
  "account": "Speichern",
  "change_password": "Passwort ändern",
  "change_email": "Link senden",
  "delete_account": "Konto löschen",
  "retry": "Noch einmal versuchen",
  "show": "Anzeigen",
  "show_password": "Passwort anzeigen",
  "optional": "(freiwillig)",

  "label.name": "Benutzername oder E-Mail-Adresse",
  "label.username": "Benutzername",
  "label.email": "E-Mail-Adresse",
  "label.new_email": "Neue E-Mail-Adresse",
  "label.password": "Passwort",
  "label.current_password": "Bisheriges Passwort",
  "label.new_password": "Neues Passwort",
  "label.remember": "Angemeldet bleiben",
  "label.first_name": "Vorname",
  "label.last_name": "Nachname",
  "label.locale": "Sprache der E-Mails",

  "hint.password": "Mindestens {count} Zeichen",
  "hint.delete_now": "Alles, was zum Konto gehört, wird sofort gelöscht.",
  "hint.delete": "Das Konto wird nach {days} Tagen gelöscht. Wer sich vorher anmeldet, behält es.",

  "done.sign_up":
    "Wir haben Ihnen eine E-Mail geschickt. Folgen Sie dem Link darin und melden Sie sich dann an.",
  "done.forgotten_password": "Wenn ein Konto diese Adresse hat, ist eine E-Mail mit einem Link unterwegs.",
  "done.reset_password": "Ihr Passwort ist gesetzt. Melden Sie sich jetzt damit an.",
  "done.account": "Gespeichert.",
  "done.change_password": "Ihr Passwort ist geändert. Auf allen anderen Geräten sind Sie abgemeldet.",
  "done.change_email":
    "Wir haben eine E-Mail an die neue Adresse geschickt. Bestätigen Sie sie mit dem Link darin.",
  "done.delete_account": "Ihr Konto wird am {date} gelöscht.",

  "sessions": "Geräte, auf denen Sie angemeldet sind",
  "session.current": "dieses Gerät",
  "session.used": "Zuletzt benutzt: {date}",
  "session.since": "Angemeldet: {date}",
  "session.unknown": "Unbekanntes Gerät",
  "session.on": "{browser} unter {system}",
  "session.end": "Abmelden",
  "session.end_of": "{device} abmelden",
  "session.end_others": "Alle anderen Geräte abmelden",

  "error.required": "Füllen Sie dieses Feld aus",
  "error.required_choice": "Kreuzen Sie dieses Feld an, um fortzufahren",
  "error.not_whole": "Geben Sie eine ganze Zahl ein",
  "error.rate_limited": "Zu viele Versuche. Versuchen Sie es {when} noch einmal.",
  "error.busy": "Der Server ist ausgelastet. Versuchen Sie es {when} noch einmal.",
  "error.network":
    "Der Server ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.",
  "error.answer_unexpected":
    "Statt des Servers hat jemand anderes geantwortet. Versuchen Sie es gleich noch einmal.",
  "error.user_changed":
    "Inzwischen hat sich jemand anderes an- oder abgemeldet. Versuchen Sie es noch einmal.",
  "error.internal": "Bei uns ist etwas schiefgegangen. Versuchen Sie es gleich noch einmal.",

  "error.invalid_credentials": "Name oder Passwort ist falsch.",
  "error.password_incorrect": "Das ist nicht das bisherige Passwort",
  "error.email_not_verified": "Die Adresse ist noch nicht bestätigt. Folgen Sie dem Link in der E-Mail.",
  "error.username_taken": "Dieser Benutzername ist vergeben",
  "error.email_taken": "Diese E-Mail-Adresse hat schon ein Konto",
  "error.sign_up_closed": "Neue Konten kann man hier nicht selbst anlegen.",
  "error.link_invalid": "Der Link gilt nicht mehr. Fordern Sie eine neue E-Mail an.",
  "error.mail_off": "Dieser Server verschickt keine E-Mails. Bitten Sie den Betreiber um Hilfe.",
  "error.session_ended": "Ihre Sitzung ist beendet. Melden Sie sich wieder an.",
  "error.token_missing": "Melden Sie sich zuerst an.",
  "error.origin_not_allowed":
    "Diese Seite darf sich hier nicht anmelden: Ihre Adresse fehlt in `frontend_origins`.",
  "error.unavailable": "Der Dienst ist gerade nicht verfügbar. Versuchen Sie es gleich noch einmal.",
  "error.revocation_unknown": "Der Dienst ist gerade nicht verfügbar. Versuchen Sie es gleich noch einmal.",
  "error.deadline_exceeded": "Das hat zu lange gedauert. Versuchen Sie es noch einmal.",

  "error.username_empty": "Geben Sie einen Benutzernamen ein",
  "error.username_too_long": "Ein Benutzername hat höchstens 150 Zeichen",
  "error.username_invalid":
    "Nehmen Sie Buchstaben, Ziffern und . _ - +, am Anfang und Ende Buchstaben oder Ziffern",
  "error.username_no_letter": "Ein Benutzername hat mindestens einen Buchstaben",
  "error.username_mixed_scripts": "Nehmen Sie Buchstaben eines einzigen Alphabets",
  "error.email_empty": "Geben Sie eine E-Mail-Adresse ein",
  "error.email_invalid": "Geben Sie eine E-Mail-Adresse wie name@example.com ein",
  "error.email_too_long": "Eine E-Mail-Adresse hat höchstens 254 Zeichen",
  "error.email_confusable":
    "Diese Domain sieht einer anderen zum Verwechseln ähnlich: nehmen Sie eine andere",
  "error.email_unchanged": "Das ist die Adresse, die das Konto schon hat",
  "error.password_empty": "Geben Sie ein Passwort ein",
  "error.password_too_long": "Ein Passwort hat höchstens 256 Zeichen",
  "error.password_invalid": "Ein Passwort darf kein NUL-Zeichen enthalten",
  "error.password_too_short":
    "Nehmen Sie mindestens {count} Zeichen; ein paar ungewöhnliche Wörter lassen sich leicht merken",
  "error.password_too_similar":
    "Das ist vor allem Ihr Name oder Ihre Adresse: nehmen Sie Wörter, die nichts mit Ihnen zu tun haben",
  "error.password_too_guessable":
    "Das ist leicht zu erraten: nehmen Sie noch ein paar ungewöhnliche Wörter dazu",
  "error.name_too_long": "Ein Name hat höchstens 150 Zeichen",
  "error.name_invalid": "Ein Name ist eine Zeile Text ohne unsichtbare Steuerzeichen",
  "error.profile_invalid":
    "Eine der Angaben ist nicht erlaubt: höchstens 1000 Zeichen Text oder eine ganze Zahl",
};
