import type { ReactNode } from "react";
import type { Account } from "../data";
import { Fact, Facts } from "../parts/Listing";
import { Section } from "../parts/Section";
import { When } from "../parts/When";
import { useWords } from "../words";
import { VerifiedMark } from "./badges";

export function PersonFacts({ account }: { account: Account }) {
  const words = useWords();
  const w = words.person;
  const email: ReactNode = account.email ? (
    <>
      {account.email} <VerifiedMark verified={account.email_verified} />
    </>
  ) : (
    w.noEmail
  );
  const profile = Object.entries(account.profile);
  return (
    <Section title={w.facts}>
      <Facts>
        <Fact label={w.id}>{account.id}</Fact>
        <Fact label={w.username}>{account.username ?? "–"}</Fact>
        <Fact label={w.email}>{email}</Fact>
        <Fact label={w.password}>{account.has_password ? w.hasPassword : w.noPassword}</Fact>
        <Fact label={w.joined}>
          <When at={account.date_joined} />
        </Fact>
        <Fact label={w.lastLogin}>
          {account.last_login === null ? words.never : <When at={account.last_login} />}
        </Fact>
        <Fact label={w.language}>{account.locale ?? w.noLanguage}</Fact>
        {account.delete_at !== null && (
          <Fact label={w.deletion}>
            <When at={account.delete_at} />
          </Fact>
        )}
        {profile.map(([field, value]) => (
          <Fact key={field} label={field.replaceAll("_", " ")}>
            {typeof value === "string" ? value : JSON.stringify(value)}
          </Fact>
        ))}
      </Facts>
    </Section>
  );
}
