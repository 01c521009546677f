package main

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// hintTypes are the error types with a hint of their own. Other errors are made
// with package fault, errors in files with package userfile.
var hintTypes = []string{
	"fault.Error", "userfile.Error",
}

func TestFewTypesHaveHints(t *testing.T) {
	var found []string
	for _, f := range sources(t) {
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || f.test || fn.Recv == nil || !strings.HasSuffix(fn.Name.Name, "Hint") || !fn.Name.IsExported() {
				continue
			}
			typ := fn.Recv.List[0].Type
			if star, ok := typ.(*ast.StarExpr); ok {
				typ = star.X
			}
			found = append(found, path.Base(f.dir)+"."+typ.(*ast.Ident).Name)
		}
	}
	for _, name := range found {
		if !slices.Contains(hintTypes, name) {
			t.Errorf("%s has a hint of its own: make it with package fault or userfile", name)
		}
	}
	for _, name := range hintTypes {
		if !slices.Contains(found, name) {
			t.Errorf("%s has no hint: take it off the list", name)
		}
	}
}
