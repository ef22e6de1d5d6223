import type { AnyAuthMethod, AuthHandlerMiddleware, AuthenticationType } from "ssh2";
import type { Method } from "./keys.ts";

/** The login attempts of one connection. */
export class Login {
  /** Labels of the methods, for the error message. */
  readonly tried: readonly string[];
  private readonly left: AnyAuthMethod[];
  private methods: readonly AuthenticationType[] | undefined;

  /** `none` is first, as in ssh: some servers require nothing more (Tailscale SSH), the others answer with their methods. */
  constructor(username: string, methods: readonly Method[]) {
    this.tried = methods.map(({ label }) => label);
    this.left = [{ type: "none", username }, ...methods.map(({ auth }) => auth as unknown as AnyAuthMethod)];
  }

  /** Called by ssh2 for the next method. */
  readonly handler: AuthHandlerMiddleware = (methodsLeft) => {
    if (Array.isArray(methodsLeft)) this.methods = methodsLeft;
    // Offer no key to a server that accepts none: it would only count the attempts.
    return this.refusesKeys ? (false as never) : ((this.left.shift() ?? false) as never);
  };

  /** The methods that the server listed last. */
  get accepted(): readonly string[] {
    return this.methods ?? [];
  }

  get refusesKeys(): boolean {
    return this.methods !== undefined && !this.methods.includes("publickey");
  }
}
