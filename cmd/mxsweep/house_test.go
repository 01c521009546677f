package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// mayImport defines the import direction: cmd → run → report → exposure →
// fingerprint → scan → result, never the other way. A package may import those
// listed for the nearest directory with an entry; "internal" means everything
// below it.
var mayImport = map[string][]string{
	"cmd":            {"run", "run/configured", "run/listening", "run/saved", "run/output", "listeners/config", "listeners/sockets", "domains", "domains/query", "domains/zonefile", "domains/zonetest", "report", "report/format", "report/fixplan", "report/mailhosts", "report/sanitize", "report/view", "report/words", "exposure", "exposure/fix", "exposure/policy", "exposure/drift", "exposure/gate", "fingerprint", "signatures", "signatures/importer", "scan", "scan/names", "scan/hosts", "scan/dialer", "scan/scope", "scan/journal", "scan/syn", "result", "internal"},
	"run":            {"run/configured", "run/records", "run/internal/engine", "run/internal/queue", "run/saved", "run/output", "domains", "report", "report/format", "report/fixplan", "report/sanitize", "report/view", "report/words", "exposure", "exposure/policy", "exposure/drift", "exposure/gate", "exposure/mailpath", "fingerprint", "signatures", "scan", "scan/names", "scan/hosts", "scan/dialer", "scan/scope", "scan/journal", "scan/syn", "result", "internal"},
	"run/configured": {"run/output", "listeners", "listeners/config", "listeners/source", "listeners/trust", "report", "report/format", "report/sanitize", "exposure", "exposure/fix", "exposure/policy", "exposure/drift", "exposure/gate", "exposure/join", "exposure/mailpath", "fingerprint", "signatures", "scan", "result", "internal"},
	"run/listening":  {"listeners", "listeners/programs", "listeners/sockets", "run/configured", "run/output", "run/saved", "report", "report/format", "report/sanitize", "exposure", "exposure/drift", "exposure/policy", "exposure/gate", "exposure/join", "exposure/mailpath", "fingerprint", "signatures", "scan", "scan/scope", "result", "internal"},
	"run/records":    {"domains", "domains/query", "domains/zonefile", "domains/zonetest", "exposure", "exposure/drift", "exposure/exposuretest", "fingerprint", "scan", "scan/scope", "result", "internal"},
	"run/output":     {"report", "report/format", "exposure", "exposure/gate", "result", "internal"},
	"run/saved":      {"report", "report/format", "report/view", "exposure", "exposure/policy", "exposure/drift", "exposure/gate", "exposure/join", "fingerprint", "scan", "scan/scope", "result", "internal"},
	"report":         append([]string{"report/sarif", "report/html", "report/terminal", "report/nmapxml", "report/junit", "exposure", "exposure/fix", "exposure/gate", "exposure/join", "exposure/mailpath", "fingerprint", "signatures", "scan", "scan/scope"}, belowFormats...),
	"exposure":       {"exposure/fix", "fingerprint", "signatures", "scan", "scan/scope", "result", "internal"},
	"fingerprint":    {"fingerprint/selfname", "signatures", "scan", "scan/hosts", "scan/dialer", "scan/scope", "result", "internal"},
	"signatures":     {"result", "internal"},
	"result":         {"internal"},

	"run/internal/engine": {"exposure", "scan", "scan/scope", "scan/scope/scopetest", "scan/syn", "result", "internal"},
	"run/internal/queue":  {"fingerprint", "scan", "scan/hosts", "scan/dialer", "scan/scope", "signatures", "result", "internal"},

	"fingerprint/selfname": {"signatures"},

	"signatures/importer": {"signatures", "internal"},

	"listeners":                   {"result", "internal"},
	"listeners/source":            {"result", "internal"},
	"listeners/sockets":           {"internal"},
	"listeners/config":            {"listeners", "listeners/source", "listeners/config/command", "listeners/config/container", "listeners/config/daemons", "listeners/config/dovecot", "listeners/config/firewall", "listeners/config/perl", "listeners/config/postfix", "listeners/config/proxy", "listeners/config/rspamd", "listeners/config/systemd", "result", "internal"},
	"listeners/config/container":  {"listeners", "listeners/config/command", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/command":    {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/rspamd":     {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/firewall":   {"listeners", "listeners/source", "internal"},
	"listeners/config/systemd":    {"listeners", "listeners/config/command", "listeners/config/container", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/trust":             {"listeners", "result"},
	"listeners/programs":          {"listeners/sockets", "result"},
	"listeners/config/daemons":    {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/dovecot":    {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/perl":       {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/sockettest": {"listeners", "internal"},
	"listeners/config/postfix":    {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},
	"listeners/config/proxy":      {"listeners", "listeners/config/sockettest", "listeners/source", "result", "internal"},

	"domains":          {"domains/query", "domains/spf", "domains/zonetest", "internal"},
	"domains/query":    {"internal"},
	"domains/zonefile": {"domains", "domains/query", "domains/zonetest", "result", "internal"},
	"domains/spf":      {},
	"domains/zonetest": {"domains/query"},

	"report/mailhosts": {"domains", "report/sanitize", "report/words", "internal"},

	"report/sarif":    belowFormats,
	"report/html":     belowFormats,
	"report/terminal": belowFormats,
	"report/nmapxml":  belowFormats,
	"report/junit":    belowFormats,
	"report/fixplan":  {"exposure/fix", "report/view", "report/words", "report/escape", "result", "internal"},
	"report/view":     {"report/format", "report/words", "exposure", "exposure/gate", "exposure/mailpath", "scan/scope", "result", "internal"},
	"report/words":    {"report/sanitize", "result", "internal"},
	"report/format":   {"result", "internal"},
	"report/sanitize": {"result", "internal"},
	"report/escape":   {"result", "internal"},
	"report/drawing":  {"exposure/mailpath", "report/escape", "report/words", "result", "internal"},

	"exposure/fix":          {"internal"},
	"exposure/join":         {"result"},
	"exposure/mailpath":     {"exposure", "listeners", "listeners/config", "listeners/source", "signatures", "result", "internal"},
	"exposure/policy":       {"exposure", "exposure/exposuretest", "fingerprint", "scan", "scan/scope", "result", "internal"},
	"exposure/drift":        {"exposure", "exposure/exposuretest", "exposure/policy", "fingerprint", "scan", "scan/scope", "result", "internal"},
	"exposure/gate":         {"exposure", "exposure/exposuretest", "exposure/policy", "exposure/drift", "fingerprint", "scan", "scan/dialer", "scan/scope", "result", "internal"},
	"exposure/exposuretest": {"exposure", "fingerprint", "scan", "result", "internal"},

	"internal/e2e/nameservers": {"domains", "domains/query", "domains/zonetest", "report/mailhosts", "internal"},
	"internal/e2e":             {"run", "run/output", "exposure", "exposure/fix", "exposure/gate", "signatures", "listeners", "listeners/config", "listeners/config/sockettest", "listeners/source", "result", "internal"},

	"scan/syn/rawnet":      {"internal"},
	"scan/syn":             {"scan", "scan/hosts", "scan/scope", "scan/syn/rawnet", "result", "internal"},
	"scan/names":           {"internal"},
	"scan/hosts":           {"internal"},
	"scan/dialer":          {"result", "internal"},
	"scan/scope":           {"scan/names", "result", "internal"},
	"scan/scope/scopetest": {"scan/scope"},
	"scan/journal":         {"scan", "scan/scope", "scan/scope/scopetest", "result", "internal"},
	"scan":                 {"scan/hosts", "scan/dialer", "scan/scope", "scan/scope/scopetest", "result", "internal"},
	"internal":             {"internal"},
}

// belowFormats is what each format may use.
var belowFormats = []string{"exposure", "report/drawing", "report/format", "report/view", "report/fixplan", "report/words", "report/escape", "report/sanitize", "result", "internal"}

// onlyIn lists the only directories that may import a module.
var onlyIn = map[string][]string{
	"github.com/google/gopacket":               {"scan/syn/rawnet"},
	"github.com/miekg/dns":                     {"domains"},
	"github.com/google/nftables":               {"listeners/sockets"},
	"github.com/mdlayher/netlink":              {"listeners/sockets"},
	"github.com/shirou/gopsutil/v4":            {"listeners/sockets"},
	"github.com/compose-spec/compose-go/v2":    {"listeners/config/container"},
	"github.com/sirupsen/logrus":               {"listeners/config/container"},
	"github.com/spf13/cobra":                   {"cmd"},
	"github.com/spf13/pflag":                   {"cmd"},
	"github.com/schollz/progressbar/v3":        {"cmd"},
	"github.com/rogpeppe/go-internal":          {},
	"github.com/santhosh-tekuri/jsonschema/v6": {},
}

// A sourceFile is one Go file of the project.
type sourceFile struct {
	dir  string // relative to the root, with slashes
	name string // relative to the root, with slashes
	test bool
	ast  *ast.File
	fset *token.FileSet
}

// sources returns every Go file of the project that is not in testdata. They are
// parsed once for all tests.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	all, err := parsedSources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("only %d Go files below %s", len(all), root)
	}
	return all
}

var parsedSources = sync.OnceValues(func() ([]sourceFile, error) {
	var all []sourceFile
	fset := token.NewFileSet()
	err := walkFiles(func(name string) error {
		if path.Ext(name) != ".go" || strings.Contains(name, "testdata/") {
			return nil
		}
		f, err := parser.ParseFile(fset, filepath.Join(root, name), nil, parser.ParseComments)
		all = append(all, sourceFile{path.Dir(name), name, strings.HasSuffix(name, "_test.go"), f, fset})
		return err
	})
	return all, err
})

// root is the project's directory as seen from this package.
const root = "../.."

// eachFile visits the files of the project, except hidden and built ones.
func eachFile(t *testing.T, visit func(name string)) {
	t.Helper()
	if err := walkFiles(func(name string) error { visit(name); return nil }); err != nil {
		t.Fatal(err)
	}
}

func walkFiles(visit func(name string) error) error {
	return filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if d.IsDir() && (name == ".git" || name == "dist") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() && name != ".git" {
			return visit(name)
		}
		return nil
	})
}

// modulePath is the path of the project's own module, with a slash at its end.
func modulePath(t *testing.T) string {
	t.Helper()
	first, _, _ := strings.Cut(readDocument(t, filepath.Join(root, "go.mod")), "\n")
	name, ok := strings.CutPrefix(first, "module ")
	if !ok {
		t.Fatalf("go.mod begins with %q", first)
	}
	return name + "/"
}

func TestImportsGoDownwards(t *testing.T) {
	module, owned := modulePath(t), 0
	for _, f := range sources(t) {
		for _, imp := range f.ast.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if own, ok := strings.CutPrefix(p, module); ok {
				owned++
				if own != f.dir && !allowed(f.dir, own) {
					t.Errorf("%s imports %s: not downwards", f.name, p)
				}
				continue
			}
			for module, dirs := range onlyIn {
				if !f.test && (p == module || strings.HasPrefix(p, module+"/")) && !slices.ContainsFunc(dirs, func(d string) bool { return within(f.dir, d) }) {
					t.Errorf("%s imports %s, which only %v may", f.name, p, dirs)
				}
			}
		}
	}
	required := goRequires(t)
	for module := range onlyIn {
		if !slices.Contains(required, module) {
			t.Errorf("%s is restricted, but go.mod does not require it", module)
		}
	}
	if owned < 100 {
		t.Errorf("only %d imports of the project's own packages", owned)
	}
}

// allowed reports whether a package in dir may import the package in other.
func allowed(dir, other string) bool {
	for at := dir; at != "."; at = path.Dir(at) {
		if list, ok := mayImport[at]; ok {
			return slices.ContainsFunc(list, func(d string) bool {
				return other == d || d == "internal" && within(other, d)
			})
		}
	}
	return false
}

func within(dir, parent string) bool {
	return dir == parent || strings.HasPrefix(dir, parent+"/")
}

func TestEveryPackageHasOneDocComment(t *testing.T) {
	docs := map[string][]string{}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		if _, ok := docs[f.dir]; !ok {
			docs[f.dir] = nil
		}
		if f.ast.Doc != nil {
			docs[f.dir] = append(docs[f.dir], f.name)
			want := "Package " + f.ast.Name.Name + " "
			if f.ast.Name.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(f.ast.Doc.Text(), want) {
				t.Errorf("%s: the package comment does not begin with %q", f.name, want)
			}
		}
	}
	for dir, files := range docs {
		if len(files) != 1 {
			t.Errorf("%s: %d files have a package comment, want one: %v", dir, len(files), files)
		}
	}
}

func TestExportedNamesHaveDocComments(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !slices.Contains(wellKnown, d.Name.Name) {
					t.Errorf("%s: %s has no doc comment", f.fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						t.Errorf("%s: %s has no doc comment", f.fset.Position(s.Pos()), s.Name.Name)
					}
				}
			}
		}
	}
}

// wellKnown are methods whose name is their documentation.
var wellKnown = []string{"Error", "Unwrap", "ErrorHint", "String"}

// exportedReceiver reports whether d is a function, or a method of an exported
// type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Only the file main.go of a command ends the process, and only commands print.
func TestOnlyTheCommandEndsTheProcess(t *testing.T) {
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: an init function", f.fset.Position(fn.Pos()))
			}
			if stream, ok := n.(*ast.SelectorExpr); ok && library(f.dir) {
				if pkg, ok := stream.X.(*ast.Ident); ok && pkg.Name == "os" && (stream.Sel.Name == "Stdout" || stream.Sel.Name == "Stderr") {
					t.Errorf("%s: uses os.%s", f.fset.Position(stream.Pos()), stream.Sel.Name)
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				if fun.Name == "panic" && !constant(f.ast, call) {
					t.Errorf("%s: calls panic", f.fset.Position(call.Pos()))
				}
			case *ast.SelectorExpr:
				pkg, ok := fun.X.(*ast.Ident)
				if !ok {
					return true
				}
				exit := pkg.Name == "os" && fun.Sel.Name == "Exit" && (f.ast.Name.Name != "main" || path.Base(f.name) != "main.go")
				fatal := pkg.Name == "log" && (strings.HasPrefix(fun.Sel.Name, "Fatal") || strings.HasPrefix(fun.Sel.Name, "Panic"))
				prints := pkg.Name == "fmt" && strings.HasPrefix(fun.Sel.Name, "Print") && library(f.dir)
				if exit || fatal || prints {
					t.Errorf("%s: calls %s.%s", f.fset.Position(call.Pos()), pkg.Name, fun.Sel.Name)
				}
			}
			return true
		})
	}
}

// library reports whether a directory has no commands, so that nothing in it may
// print.
func library(dir string) bool {
	return !within(dir, "cmd") && !within(dir, "tools") && !within(dir, "internal/lab") && !within(dir, "internal/bench")
}

// constant reports whether a call is in a function that parses constants of the
// program, named must as in package regexp: no input reaches it.
func constant(file *ast.File, call *ast.CallExpr) bool {
	for _, decl := range file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Pos() <= call.Pos() && call.Pos() < fn.End() {
			return strings.HasPrefix(fn.Name.Name, "must")
		}
	}
	return false
}

// Files and functions are short enough to be read at once; data is not Go code.
func TestFilesAndFunctionsStayShort(t *testing.T) {
	const maxFile, maxFunc = 500, 80
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		if n := f.fset.Position(f.ast.FileEnd).Line; n > maxFile {
			t.Errorf("%s has %d lines, more than %d", f.name, n, maxFile)
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			if n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line; n > maxFunc {
				t.Errorf("%s: %s has %d lines, more than %d", f.fset.Position(fn.Pos()), fn.Name.Name, n, maxFunc)
			}
		}
	}
}

// mostFiles is the maximum number of Go files in a folder, without tests: what
// one listing shows. Files for one system count too.
const mostFiles = 25

// commandFiles is the maximum for the command: one per verb, and shared ones.
const commandFiles = 40

func TestFoldersStayNarrow(t *testing.T) {
	count := map[string]int{}
	for _, f := range sources(t) {
		if !f.test {
			count[f.dir]++
		}
	}
	for dir, n := range count {
		most := mostFiles
		if dir == "cmd/mxsweep" {
			most = commandFiles
		}
		if n > most {
			t.Errorf("%s has %d Go files, more than %d: put together what belongs together, or make a package of a part", dir, n, most)
		}
	}
}

// An absolute path of a developer's machine means nothing on another one.
func TestNoFileNamesAMachine(t *testing.T) {
	dirs := []string{"work", "farm", "root", "Users", "tmp/go-build"}
	machine := regexp.MustCompile(`(^|[^A-Za-z0-9_./-])/(` + strings.Join(dirs, "|") + `)/`)
	eachFile(t, func(name string) {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(data, 0) >= 0 {
			return // a binary
		}
		if !slices.ContainsFunc(dirs, func(dir string) bool { return bytes.Contains(data, []byte("/"+dir+"/")) }) {
			return // this is faster than the pattern
		}
		for i, line := range strings.Split(string(data), "\n") {
			if machine.MatchString(line) {
				t.Errorf("%s:%d: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	})
}

// A tag of an action can be moved to other code; a commit cannot.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+(\.\d+)*$`)
	seen := 0
	eachFile(t, func(name string) {
		if ext := path.Ext(name); ext != ".yml" && ext != ".yaml" {
			return
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			_, action, found := strings.Cut(line, "uses: ")
			if !found || strings.HasPrefix(strings.TrimSpace(line), "#") || strings.HasPrefix(action, "OWNER/mxsweep@") {
				continue
			}
			seen++
			if !pinned.MatchString(action) {
				t.Errorf("%s:%d: %q is not a commit with its version as a comment", name, i+1, action)
			}
		}
	})
	if seen == 0 {
		t.Error("no workflow uses an action: is this test still looking at them?")
	}
}
