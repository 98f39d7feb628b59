import { createHallpass } from "@hallpass/client";
import { HallpassProvider } from "@hallpass/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import "./style.css";

// Made once, outside of components: it finds out at once who is signed in.
const hallpass = createHallpass({ url: import.meta.env.VITE_HALLPASS_URL ?? "http://localhost:8000" });

const root = document.getElementById("root");
if (!root) throw new Error("`index.html` has no element `root`");
createRoot(root).render(
  <StrictMode>
    <HallpassProvider client={hallpass} locale={navigator.language}>
      <App />
    </HallpassProvider>
  </StrictMode>,
);
