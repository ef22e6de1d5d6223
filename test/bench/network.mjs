// The farm's hosts seen through a long line, and through one bastion.
import { connect, createServer } from "node:net";
import { addresses, farmProject, startFarm } from "./farm.mjs";
import { round } from "./measure.mjs";

/** Passes connections on to `port` of the same address, every byte `milliseconds` later, each way. Counts connections. */
async function relay(port, milliseconds) {
  let accepted = 0;
  const later = (from, to) => {
    from.on("data", (bytes) => setTimeout(() => to.writable && to.write(bytes), milliseconds));
    from.on("close", () => setTimeout(() => to.destroy(), milliseconds));
    from.on("error", () => {});
  };
  const server = createServer((client) => {
    accepted++;
    client.setNoDelay(true);
    const upstream = connect(port, client.localAddress.replace("::ffff:", ""));
    upstream.setNoDelay(true);
    later(client, upstream);
    later(upstream, client);
  });
  await new Promise((resolve) => server.listen(0, "0.0.0.0", resolve));
  return { port: server.address().port, accepted: () => accepted, close: () => server.close() };
}

/** A whole deploy of 20 hosts behind 50 ms of round trip, against the same without. */
export async function longLine(hosts = 20, roundTrip = 50) {
  const farm = await startFarm(addresses(hosts));
  const far = await relay(farm.port, roundTrip / 2);
  try {
    const times = {};
    for (const [name, port] of [
      ["direct", farm.port],
      [`${roundTrip} ms of round trip`, far.port],
    ]) {
      const project = farmProject(farm, addresses(hosts), { port });
      await project.deploy("one");
      times[name] = (await project.deploy("two")).milliseconds;
    }
    const [[, direct]] = Object.entries(times);
    console.log(`deploy -P to ${hosts} hosts behind a long line`);
    console.table(
      Object.fromEntries(
        Object.entries(times).map(([name, ms]) => [
          name,
          { seconds: round(ms / 1000), "seconds more": round((ms - direct) / 1000) },
        ]),
      ),
    );
  } finally {
    far.close();
    await farm.stop();
  }
}

/** A whole deploy of 50 hosts through one bastion whose sshd has its default limits. */
export async function bastion(hosts = 50) {
  const farm = await startFarm(addresses(hosts));
  const gate = await startFarm([], [], { port: 2230, forward: true });
  const door = await relay(gate.port, 0);
  try {
    const proxy = `${gate.user}@127.0.0.1:${door.port}`;
    const project = farmProject(farm, addresses(hosts), { proxy, keys: [farm.key, gate.key] });
    await project.deploy("one");
    const before = door.accepted();
    const { milliseconds } = await project.deploy("two");
    console.log(`deploy -P to ${hosts} hosts through one bastion with sshd's default limits`);
    console.table({
      [`${hosts} hosts`]: {
        seconds: round(milliseconds / 1000),
        "connections to the bastion": door.accepted() - before,
        "hosts lost": 0,
      },
    });
  } finally {
    door.close();
    await gate.stop();
    await farm.stop();
  }
}
