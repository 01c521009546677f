package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
)

func TestCheckedOut(t *testing.T) {
	commit := strings.Repeat("0123456789", 4)
	git := t.TempDir()
	for name, text := range map[string]string{
		"HEAD":             "ref: refs/heads/night\n",
		"refs/heads/night": commit + "\n",
		"config":           "[core]\n\tbare = false\n[remote \"origin\"]\n\tfetch = +refs/heads/*\n\turl = git@git.example.org:mail/gate.git\n",
	} {
		name = filepath.Join(git, ".git", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		env  map[string]string
		root string
		want format.Revision
	}{
		{"nothing", nil, t.TempDir(), format.Revision{}},
		{"a checkout", nil, git, format.Revision{URI: "ssh://git.example.org/mail/gate.git", Commit: commit, Branch: "night"}},
		{"GitHub", map[string]string{"GITHUB_REPOSITORY": "mail/gate", "GITHUB_SERVER_URL": "https://git.example.org", "GITHUB_SHA": commit, "GITHUB_REF_NAME": "main"}, git,
			format.Revision{URI: "https://git.example.org/mail/gate", Commit: commit, Branch: "main"}},
		{"GitLab", map[string]string{"CI_PROJECT_URL": "https://git.example.org/mail/gate", "CI_COMMIT_SHA": commit}, git,
			format.Revision{URI: "https://git.example.org/mail/gate", Commit: commit}},
		{"a password", map[string]string{"GIT_URL": "https://ops:s3cret@git.example.org/gate.git?token=s3cret", "GIT_COMMIT": "no commit"}, t.TempDir(),
			format.Revision{URI: "https://git.example.org/gate.git"}},
		{"a path", map[string]string{"GIT_URL": "/home/ops/gate.git", "GIT_COMMIT": commit}, t.TempDir(), format.Revision{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := checkedOut(func(key string) string { return tt.env[key] }, tt.root); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
