# mrsk for machines without Node: `docker build -t mrsk .`, then as the README says.
FROM node:22-bookworm-slim AS build
WORKDIR /mrsk
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY bin/bundle bin/bundle
COPY src src
RUN npm run build

# Debian 12 has no buildx and an old docker, and no Debian a Node that is new enough.
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates docker-buildx docker-cli git libatomic1 libstdc++6 openssh-client \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 # The project that is mounted, and submodules in it, belong to another user: git trusts these, and no other folder.
 && git config --system --add safe.directory /workdir \
 && git config --system --add safe.directory '/workdir/*'
WORKDIR /mrsk
COPY package.json LICENSE ./
COPY bin/mrsk.cjs bin/
COPY templates templates
COPY src/docs src/docs
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /mrsk/dist dist
RUN ln -s /mrsk/bin/mrsk.cjs /usr/local/bin/mrsk
WORKDIR /workdir
ENTRYPOINT ["mrsk"]
