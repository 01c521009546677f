package main

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// A type name of package result has one meaning in the whole project: a similar
// type elsewhere has another name, and a comment that says why it exists.
func TestTypesOfTheModelAreDefinedOnce(t *testing.T) {
	files := sources(t)
	model := map[string]bool{}
	for _, f := range files {
		if f.dir == "result" && !f.test {
			for _, s := range exportedTypes(f) {
				model[s.Name.Name] = true
			}
		}
	}
	if len(model) < 20 {
		t.Fatalf("package result has only %d types", len(model))
	}
	for _, f := range files {
		if f.dir == "result" || f.test || strings.HasSuffix(path.Base(f.dir), "test") {
			continue
		}
		for _, s := range exportedTypes(f) {
			if model[s.Name.Name] {
				t.Errorf("%s: %s is a type of package result too", f.fset.Position(s.Pos()), s.Name.Name)
			}
		}
	}
}

// exportedTypes returns the exported types that a file declares.
func exportedTypes(f sourceFile) []*ast.TypeSpec {
	var list []*ast.TypeSpec
	for _, decl := range f.ast.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok || d.Tok != token.TYPE {
			continue
		}
		for _, spec := range d.Specs {
			if s := spec.(*ast.TypeSpec); s.Name.IsExported() {
				list = append(list, s)
			}
		}
	}
	return list
}

// The values of states, reasons, roles, severities and drifts are listed only in
// package result: a list with most of the values of one of them is a second
// table.
func TestTablesOfTheModelAreWrittenOnce(t *testing.T) {
	tables := map[string][]string{
		"states":     wordsOf(result.States()),
		"reasons":    wordsOf(result.Reasons()),
		"roles":      wordsOf(result.Roles()),
		"severities": result.SeverityWords(),
		"drifts":     wordsOf(result.Drifts()),
	}
	for _, f := range sources(t) {
		if f.dir == "result" || f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			written := wordsIn(n)
			if len(written) <= 3 {
				return true
			}
			for name, words := range tables {
				had := 0
				for _, word := range words {
					if slices.Contains(written, word) {
						had++
					}
				}
				if had > len(words)/2 && had > 3 {
					t.Errorf("%s: a table of %s; that of package result has them", f.fset.Position(n.Pos()), name)
				}
			}
			return true
		})
	}
}

func wordsOf[T ~string](list []T) []string {
	words := make([]string, len(list))
	for i, word := range list {
		words[i] = string(word)
	}
	return words
}

// wordsIn returns the words in texts that are elements of a list, keys of a map,
// or arguments of a call such as strings.Fields; none for other nodes.
func wordsIn(n ast.Node) []string {
	var list []ast.Expr
	switch n := n.(type) {
	case *ast.CompositeLit:
		list = n.Elts
	case *ast.CallExpr:
		list = n.Args
	}
	var words []string
	for _, e := range list {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Key
		}
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				words = append(words, strings.Fields(text)...)
			}
		}
	}
	return words
}
