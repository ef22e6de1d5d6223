// The part of PostgreSQL's protocol that the app needs: one connection per query, simple queries, SCRAM or trust.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { connect } from "node:net";

/** Runs one statement. @returns rows, each a list of texts */
export async function query(sql) {
  const url = new URL(process.env.DATABASE_URL);
  const socket = connect(Number(url.port || 5432), url.hostname);
  const messages = reader(socket);
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  try {
    socket.write(startup(user, url.pathname.slice(1)));
    await logIn(socket, messages, user, password);
    socket.write(message("Q", cstring(sql)));
    const rows = [];
    for await (const { type, body } of messages) {
      if (type === "D") rows.push(row(body));
      if (type === "E") throw new Error(problem(body));
      if (type === "Z") break;
    }
    return rows;
  } finally {
    socket.destroy();
  }
}

export const literal = (text) => `'${text.replaceAll("'", "''")}'`;

async function* reader(socket) {
  let held = Buffer.alloc(0);
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length > held.readUInt32BE(1)) {
      const length = held.readUInt32BE(1) + 1;
      yield { type: String.fromCharCode(held[0]), body: held.subarray(5, length) };
      held = held.subarray(length);
    }
  }
  throw new Error("the database closed the connection");
}

async function logIn(socket, messages, user, password) {
  let scram;
  for (;;) {
    const { value } = await messages.next();
    const { type, body } = value;
    if (type === "E") throw new Error(problem(body));
    if (type === "Z") return;
    if (type !== "R") continue;
    const kind = body.readUInt32BE(0);
    if (kind === 5) socket.write(message("p", cstring(md5Answer(user, password, body.subarray(4)))));
    if (kind === 10) {
      scram = { nonce: randomBytes(18).toString("base64") };
      const first = Buffer.from(`n,,n=,r=${scram.nonce}`);
      socket.write(message("p", Buffer.concat([cstring("SCRAM-SHA-256"), int32(first.length), first])));
    }
    if (kind === 11) socket.write(message("p", Buffer.from(scramAnswer(scram, password, body.subarray(4).toString()))));
  }
}

function scramAnswer({ nonce }, password, challenge) {
  const fields = Object.fromEntries(challenge.split(",").map((part) => [part[0], part.slice(2)]));
  const hmac = (key, text) => createHmac("sha256", key).update(text).digest();
  const salted = pbkdf2Sync(password, Buffer.from(fields.s, "base64"), Number(fields.i), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const final = `c=biws,r=${fields.r}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), `n=,r=${nonce},${challenge},${final}`);
  const proof = Buffer.from(clientKey.map((byte, i) => byte ^ signature[i]));
  return `${final},p=${proof.toString("base64")}`;
}

function md5Answer(user, password, salt) {
  const md5 = (data) => createHash("md5").update(data).digest("hex");
  return `md5${md5(Buffer.concat([Buffer.from(md5(password + user)), salt]))}`;
}

const int32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};
const cstring = (text) => Buffer.from(`${text}\0`);
const message = (type, body) => Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);

function startup(user, database) {
  const body = Buffer.concat([int32(196608), cstring("user"), cstring(user), cstring("database"), cstring(database), Buffer.from([0])]);
  return Buffer.concat([int32(body.length + 4), body]);
}

function row(body) {
  const cells = [];
  let at = 2;
  for (let i = body.readUInt16BE(0); i > 0; i--) {
    const length = body.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : body.subarray(at, at + length).toString());
    at += Math.max(0, length);
  }
  return cells;
}

const problem = (body) => /\0M([^\0]*)/.exec(`\0${body.toString()}`)?.[1] ?? "database error";
