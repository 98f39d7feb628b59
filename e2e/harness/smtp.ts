/** A mail server (RFC 5321) that takes no mail until it is told to, and then takes everything. */
import { type AddressInfo, type Server, type Socket, createServer } from "node:net";

export class Smtp {
  /** Whether it refuses every mail for good. */
  isRefusing = true;
  /** What it took, with headers, as it came. */
  readonly taken: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#talk(socket));
  }

  static async start(): Promise<Smtp> {
    const smtp = new Smtp();
    await new Promise<void>((resolve) => smtp.#server.listen(0, "127.0.0.1", resolve));
    return smtp;
  }

  /** What a server needs to know to send by it. */
  get settings(): Record<string, string> {
    return {
      MAIL__TRANSPORT: "smtp",
      MAIL__FROM: "Hallpass <no-reply@example.org>",
      MAIL__SMTP_HOST: "127.0.0.1",
      MAIL__SMTP_PORT: String((this.#server.address() as AddressInfo).port),
      MAIL__SMTP_TLS: "none",
    };
  }

  stop(): Promise<void> {
    const over = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    return over;
  }

  #talk(socket: Socket): void {
    let received = "";
    let isLetter = false;
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    socket.setEncoding("utf8");
    socket.write("220 localhost\r\n");
    socket.on("data", (part: string) => {
      received += part;
      for (;;) {
        const end = isLetter ? "\r\n.\r\n" : "\r\n";
        const at = received.indexOf(end);
        if (at === -1) return;
        const said = received.slice(0, at);
        received = received.slice(at + end.length);
        if (isLetter) this.taken.push(said);
        const answer = isLetter ? "250 taken" : this.#answer(said.slice(0, 4).toUpperCase());
        isLetter = answer.startsWith("354");
        socket.write(`${answer}\r\n`);
      }
    });
  }

  #answer(command: string): string {
    if (command === "DATA") return "354 go on";
    if (command === "QUIT") return "221 bye";
    return command === "RCPT" && this.isRefusing ? "550 5.7.1 not from you" : "250 fine";
  }
}
