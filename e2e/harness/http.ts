/** Requests of a program that is no browser. */
import { type RequestOptions, request as plain } from "node:http";
import { request as secure } from "node:https";

export interface Answer {
  status: number;
  text: string;
}

export interface Asked {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The authority that vouches for the server, as PEM. */
  ca?: string;
}

/** Asks whoever listens on this machine under the name that `url` says. */
export function ask(url: string, { method = "GET", headers = {}, body, ca }: Asked = {}): Promise<Answer> {
  const { protocol, host, hostname, port, pathname, search } = new URL(url);
  const options: RequestOptions & { servername: string; ca?: string } = {
    method,
    host: "127.0.0.1",
    port,
    path: pathname + search,
    headers: { Host: host, ...headers },
    agent: false,
    servername: hostname,
    ...(ca === undefined ? {} : { ca }),
  };
  return new Promise((resolve, reject) => {
    const request = (protocol === "https:" ? secure : plain)(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (part: string) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}
