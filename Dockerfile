# A static binary and nothing else, run by nobody. Connect mode needs no right
# at all; for --mode syn see docs/ci.md.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /mxsweep ./cmd/mxsweep

FROM scratch
COPY --from=build /src/LICENSE /src/THIRD_PARTY.md /
COPY --from=build /mxsweep /usr/bin/mxsweep
WORKDIR /work
USER 65534:65534
ENTRYPOINT ["/usr/bin/mxsweep"]
CMD ["help"]
