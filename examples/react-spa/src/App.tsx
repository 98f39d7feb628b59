import { SignInForm, SignUpForm, SignedIn, SignedOut, useAuth, useUser } from "@hallpass/react";
import { useEffect, useState, useSyncExternalStore } from "react";

export function App() {
  const { status, error } = useAuth();
  // Where somebody may be signed in, but the server cannot be asked.
  if (status === "unknown") return error && <p role="alert">{error.detail}</p>;
  return (
    <>
      <Navigation />
      <main>
        <Page />
      </main>
    </>
  );
}

function Navigation() {
  const { user, signOut } = useAuth();
  return (
    <nav aria-label="Main">
      <a href="#/">Home</a>
      <SignedIn>
        <a href="#/session">Session</a>
        <span>Hello, {user?.username}</span>
        <button onClick={() => void signOut()}>Sign out</button>
      </SignedIn>
      <SignedOut>
        <a href="#/sign-in">Sign in</a>
        <a href="#/sign-up">Sign up</a>
      </SignedOut>
    </nav>
  );
}

function Page() {
  switch (usePath()) {
    case "#/sign-in":
      return <SignIn />;
    case "#/sign-up":
      return <SignUp />;
    case "#/session":
      return (
        <>
          <SignedIn>
            <Session />
          </SignedIn>
          {/* Whoever comes here signed out signs in and is where they wanted to be. */}
          <SignedOut>
            <h1>Sign in first</h1>
            <SignInForm />
          </SignedOut>
        </>
      );
    default:
      return <Home />;
  }
}

function Home() {
  const user = useUser();
  return user ? (
    <h1>Welcome, {user.first_name || user.username}!</h1>
  ) : (
    <h1>Welcome! You are not signed in.</h1>
  );
}

function SignIn() {
  return (
    <>
      <h1>Sign in</h1>
      <SignInForm onDone={goHome} />
      <p>
        No account yet? <a href="#/sign-up">Sign up</a>
      </p>
    </>
  );
}

function SignUp() {
  return (
    <>
      <h1>Sign up</h1>
      <SignUpForm onDone={({ status }) => status === "signed_in" && goHome()} />
      <p>
        You have an account? <a href="#/sign-in">Sign in</a>
      </p>
    </>
  );
}

/** Asks the server; an API of your own is asked the same way, if the client's `apis` name its origin. */
function Session() {
  const { url, fetch } = useAuth();
  const [session, setSession] = useState<{ auth_time: number; roles: string[] }>();
  const [failure, setFailure] = useState<string>();
  useEffect(() => {
    fetch(`${url}/api/v1/session`)
      .then(async (answer) =>
        answer.ok ? setSession(await answer.json()) : setFailure(`Status ${answer.status}`),
      )
      .catch((error: Error) => setFailure(error.message));
  }, [url, fetch]);
  if (failure) return <p role="alert">{failure}</p>;
  return (
    <>
      <h1>Session</h1>
      {session && <p>Signed in since {new Date(session.auth_time * 1000).toLocaleString()}</p>}
    </>
  );
}

const goHome = () => {
  location.hash = "#/";
};

/** What stands behind the `#`: the example needs no router. */
const usePath = () => useSyncExternalStore(onHashChange, () => location.hash);

function onHashChange(listener: () => void) {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}
