package main

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report/format"
)

// revisionEnv are the variables in which CI systems say what was checked out: address,
// commit and branch.
var revisionEnv = [...][3]string{
	{"CI_PROJECT_URL", "CI_COMMIT_SHA", "CI_COMMIT_BRANCH"}, // GitLab
	{"GIT_URL", "GIT_COMMIT", "GIT_BRANCH"},                 // Jenkins
}

// checkedOut returns the revision that the anchors of a report belong to: from the CI
// system, or else from the checkout at root. If there is neither it is the zero
// Revision.
func checkedOut(env func(string) string, root string) format.Revision {
	if repo := env("GITHUB_REPOSITORY"); repo != "" {
		return newRevision(env("GITHUB_SERVER_URL")+"/"+repo, env("GITHUB_SHA"), env("GITHUB_REF_NAME"))
	}
	for _, names := range revisionEnv {
		if r := newRevision(env(names[0]), env(names[1]), env(names[2])); r.URI != "" {
			return r
		}
	}
	git := filepath.Join(root, ".git")
	head := strings.TrimSpace(gitFile(git, "HEAD"))
	commit, branch := head, ""
	if ref, ok := strings.CutPrefix(head, "ref: "); ok && filepath.IsLocal(ref) {
		commit = strings.TrimSpace(gitFile(git, ref))
		branch = strings.TrimPrefix(ref, "refs/heads/")
	}
	m := originURL.FindStringSubmatch(gitFile(git, "config"))
	if m == nil {
		return format.Revision{}
	}
	return newRevision(m[1], commit, branch)
}

var (
	originURL = regexp.MustCompile(`(?m)^\[remote "origin"\]\n(?:\s+.*\n)*?\s+url = (\S+)$`)
	scpURL    = regexp.MustCompile(`^(?:[^@/:]+@)?([^/:]+):([^/].*)$`)
	commitID  = regexp.MustCompile(`^[0-9a-f]{40,64}$`)
)

// gitFile reads a small file of a git directory; "" if it cannot be read.
func gitFile(git, name string) string {
	data, err := userfile.ReadLimited(filepath.Join(git, filepath.FromSlash(name)), 1<<20)
	if err != nil {
		return ""
	}
	return string(data)
}

// newRevision removes user and password from the address; an address that is not one
// of a server gives the zero Revision, because reports must not contain paths of this
// machine.
func newRevision(address, commit, branch string) format.Revision {
	if m := scpURL.FindStringSubmatch(address); m != nil && !strings.Contains(address, "://") {
		address = "ssh://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" && u.Scheme != "git" {
		return format.Revision{}
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	if !commitID.MatchString(commit) {
		commit = ""
	}
	return format.Revision{URI: u.String(), Commit: commit, Branch: branch}
}
