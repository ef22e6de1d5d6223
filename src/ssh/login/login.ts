import type { AnyAuthMethod, AuthHandlerMiddleware, AuthenticationType } from "ssh2";
import type { Method } from "./keys.ts";

/** The attempts of one connection to log in. */
export class Login {
  /** In words. */
  readonly tried: readonly string[];
  private readonly left: AnyAuthMethod[];
  private methods: readonly AuthenticationType[] | undefined;

  /** `none` is first, as in ssh: some servers want no more (Tailscale SSH), and others answer with what they want. */
  constructor(username: string, methods: readonly Method[]) {
    this.tried = methods.map(({ words }) => words);
    this.left = [{ type: "none", username }, ...methods.map(({ auth }) => auth as unknown as AnyAuthMethod)];
  }

  /** What ssh2 calls for the next method. */
  readonly handler: AuthHandlerMiddleware = (methodsLeft) => {
    if (Array.isArray(methodsLeft)) this.methods = methodsLeft;
    // A server that takes no keys would only count the attempts.
    return this.refusesKeys ? (false as never) : ((this.left.shift() ?? false) as never);
  };

  /** What the server wants, as it said last. */
  get wanted(): readonly string[] {
    return this.methods ?? [];
  }

  get refusesKeys(): boolean {
    return this.methods !== undefined && !this.methods.includes("publickey");
  }
}
