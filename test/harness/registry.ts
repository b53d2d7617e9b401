/** A real image registry, Debian's docker-registry, on the loopback of a private host. */
import type { Background } from "./background.ts";
import { eventually } from "./eventually.ts";
import type { Place } from "./place.ts";
import { type Need, program } from "./skip.ts";

/** The registry's program. */
export const dockerRegistry: Need = program("docker-registry");

/** Options of a registry. */
export interface RegistryOptions {
  /** Default 5000. */
  port?: number;
  /** Whether it requires a user and a password: `scientist` and `secret`. */
  password?: boolean;
}

/** The user of a registry with authentication. */
const USER = "scientist";
const PASSWORD = "secret";

/** That user's line for htpasswd: bcrypt, the only form that the registry accepts. */
const HTPASSWD = `${USER}:$2b$05$./zRIK7oyEnJTsAE0eCp7OVwZR4d9GfIM02OQ2U8Oe5UGLA.WEazC`;

/** A running registry. */
export class Registry implements AsyncDisposable {
  /** Its name in image names: `localhost:5000`. */
  readonly name: string;
  readonly #host: Place;
  readonly #server: Background;
  readonly #directory: string;
  readonly #credentials: readonly string[];

  private constructor(
    host: Place,
    port: number,
    server: Background,
    directory: string,
    credentials: readonly string[],
  ) {
    this.#host = host;
    this.name = `localhost:${port}`;
    this.#server = server;
    this.#directory = directory;
    this.#credentials = credentials;
  }

  /** Starts an empty one on a private host; its data is under the host's /run. */
  static async start(
    host: Place,
    { port = 5000, password = false }: RegistryOptions = {},
  ): Promise<Registry> {
    const directory = `/run/registry-${port}`;
    const auth = `auth: { htpasswd: { realm: test, path: ${directory}/htpasswd } }\n`;
    await host.sh(`mkdir -p ${directory}; cat > ${directory}/config.yml`, {
      stdin: `version: 0.1
log: { accesslog: { disabled: false } }
storage: { filesystem: { rootdirectory: ${directory}/data }, delete: { enabled: true } }
http: { addr: 127.0.0.1:${port}, secret: test }
${password ? auth : ""}`,
    });
    await host.sh(`cat > ${directory}/htpasswd`, { stdin: `${HTPASSWD}\n` });
    const server = await host.spawn("docker-registry", ["serve", `${directory}/config.yml`]);
    await server.waitFor(/listening on/, { timeoutMs: 30_000 });
    const credentials = password ? [`--dest-creds=${USER}:${PASSWORD}`] : [];
    return new Registry(host, port, server, directory, credentials);
  }

  /**
   * Pushes an image; returns its name there.
   *
   * @param source As skopeo names it: `oci:DIRECTORY:TAG`.
   * @param name Such as `team/app:1`.
   * @param options More options of `skopeo copy`.
   */
  async push(source: string, name: string, options: readonly string[] = []): Promise<string> {
    const target = `docker://${this.name}/${name}`;
    await this.#host.run(
      "skopeo",
      [
        ...["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"],
        ...[...this.#credentials, ...options, source, target],
      ],
      { timeoutMs: 120_000 },
    );
    return `${this.name}/${name}`;
  }

  /**
   * Requests since the last call, such as `GET /v2/app/manifests/1`, with digests shortened.
   *
   * @param pattern Which of them.
   */
  async requests(pattern: RegExp): Promise<string[]> {
    // Each is logged after its answer: once one of our own shows, so do those before it.
    const mark = `GET /v2/mark-${++this.#marks}/tags/list`;
    const [hostname, port] = this.name.split(":");
    await this.#host.run("bash", [
      "-c",
      `exec 3<> /dev/tcp/${hostname}/${port}; printf '${mark} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`,
    ]);
    await eventually(() => this.#requests().includes(mark), { what: `${mark} in the log` });
    const all = this.#requests();
    const seen = this.#seen;
    this.#seen = all.length;
    return all.slice(seen).filter((request) => request !== mark && pattern.test(request));
  }

  #marks = 0;
  #seen = 0;

  #requests(): string[] {
    const log = this.#server.stdout + this.#server.stderr;
    return [...log.matchAll(/"((?:GET|HEAD) \/v2\/[^ "]+) HTTP/g)].map((match) => match[1]!);
  }

  /** Stops it; its data is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.#host.run("rm", ["-rf", this.#directory]);
  }
}
