# "make" lists the targets. Everything here runs on a machine with Go, gcc and
# make; "make test" installs what the real-daemon tests need where it may.

GO ?= go
BIN ?= dist/mxsweep

.PHONY: help build test check release-check unit e2e docs fixes lab-up lab-down score probe-counts bench versus fuzz vuln clean

help:
	@echo "make build   static binary in $(BIN)"
	@echo "make test    all checks, with real daemons and a release; as root it installs packages"
	@echo "make unit    go test ./... (no namespaces, no browser, under a minute)"
	@echo "make check   gofmt, vet, staticcheck, golangci-lint, builds without cgo and with the oldest Go"
	@echo "make release-check  a whole release, built and looked at, not published"
	@echo "make e2e     tests with real Postfix, amavisd, Dovecot, ... (root and Debian packages)"
	@echo "make docs    regenerate the files that tests compare with the code: README.md, docs/rules.md, ..."
	@echo "make fixes   prove every fix on the real daemon, and regenerate docs/fixes.md"
	@echo "make lab-up  install and start internal/lab, hosts with real mail daemons (root, Debian 12)"
	@echo "make lab-down  stop it"
	@echo "make score   the accuracy score and the connections on internal/lab (root, Debian 12)"
	@echo "make probe-counts  how often each probe decided there, for signatures list --probes"
	@echo "make bench   the speed beside nmap and others on internal/bench (root)"
	@echo "make versus  mxsweep beside nmap, zgrab2 and nerva on internal/lab, for docs/comparison.md (root, Debian 12)"
	@echo "make fuzz    every fuzz target for FUZZTIME (10s)"
	@echo "make vuln    known vulnerabilities of the modules (needs the network)"

build:
	CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/mxsweep

unit:
	scripts/unit

check:
	scripts/check

release-check:
	scripts/release-check

test:
	scripts/check
	scripts/test

e2e:
	scripts/e2e

docs:
	$(GO) mod download
	$(GO) test -count=1 -run '^(TestReadmeShows|TestPictureShows|TestThirdParty)' ./cmd/mxsweep -update
	$(GO) test -count=1 -run '^TestManual$$' ./exposure -update

fixes:
	scripts/fixes

lab-up:
	scripts/lab up

lab-down:
	scripts/lab down

score:
	scripts/score

probe-counts:
	LABTESTS='^TestLabWhole$$' scripts/score -update

bench: build
	scripts/bench $(BIN)

versus: build
	scripts/versus $(BIN)

fuzz:
	scripts/fuzz

vuln:
	$(GO) tool govulncheck ./...

clean:
	rm -rf dist
