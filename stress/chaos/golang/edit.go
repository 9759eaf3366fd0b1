package golang

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// source is one file being edited: insertions and replacements by byte offset, found through its syntax. No
// line break is added, so every line keeps its number.
type source struct {
	path  string
	text  []byte
	fset  *token.FileSet
	tree  *ast.File
	edits []edit
}

type edit struct {
	from, to int
	text     string
}

func parseSource(path string, text []byte) (*source, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	return &source{path: path, text: text, fset: fset, tree: tree}, nil
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }

func (s *source) insert(at token.Pos, text string) {
	s.edits = append(s.edits, edit{s.offset(at), s.offset(at), text})
}

func (s *source) replace(from, to token.Pos, text string) {
	s.edits = append(s.edits, edit{s.offset(from), s.offset(to), text})
}

// apply gives the edited text. Edits at one place stay in the order in which they were made.
func (s *source) apply() []byte {
	sorted := slices.Clone(s.edits)
	slices.SortStableFunc(sorted, func(a, b edit) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, e := range sorted {
		out = append(out, s.text[at:e.from]...)
		out = append(out, e.text...)
		at = e.to
	}
	return append(out, s.text[at:]...)
}

// function finds a function or method with a body; nil if the file has none such.
func (s *source) function(recv, name string) *ast.FuncDecl {
	for _, d := range s.tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Name.Name == name && f.Body != nil && receiver(f) == recv {
			return f
		}
	}
	return nil
}

// receiver is the name of a method's receiver type, without star and type parameters; "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) != 1 {
		return ""
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// enter puts a statement first in a function.
func (s *source) enter(f *ast.FuncDecl, statement string) error {
	if forbidden(f) {
		return fmt.Errorf("%s must not be interrupted", f.Name.Name)
	}
	s.insert(f.Body.Lbrace+1, " "+statement+"; ")
	return nil
}

// leave puts a statement before every return of a function and at its end. Returned expressions must be
// plain, because they are evaluated after the statement.
func (s *source) leave(f *ast.FuncDecl, statement string) error {
	if forbidden(f) {
		return fmt.Errorf("%s must not be interrupted", f.Name.Name)
	}
	var returns []*ast.ReturnStmt
	var complex bool
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			returns = append(returns, n)
			complex = complex || slices.ContainsFunc(n.Results, calls)
		}
		return true
	})
	if complex {
		return fmt.Errorf("%s returns what it has yet to compute", f.Name.Name)
	}
	for _, r := range returns {
		s.insert(r.Pos(), statement+"; ")
	}
	if f.Type.Results == nil && !endsInReturn(f.Body) {
		s.insert(f.Body.Rbrace, "; "+statement)
	}
	return nil
}

func endsInReturn(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

// calls tells whether an expression calls, receives or reads through a pointer.
func calls(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.StarExpr, *ast.SelectorExpr, *ast.IndexExpr:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}

// forbidden tells functions that the compiler or runtime promises not to interrupt.
func forbidden(f *ast.FuncDecl) bool {
	if f.Doc == nil {
		return false
	}
	for _, c := range f.Doc.List {
		for _, p := range []string{"//go:nosplit", "//go:systemstack", "//go:nowritebarrier", "//go:norace"} {
			if strings.HasPrefix(c.Text, p) {
				return true
			}
		}
	}
	return false
}

// call finds the one call of a function by its bare name inside f.
func call(f *ast.FuncDecl, callee string) (*ast.CallExpr, error) {
	var all []*ast.CallExpr
	ast.Inspect(f.Body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == callee {
				all = append(all, c)
			}
		}
		return true
	})
	if len(all) != 1 {
		return nil, fmt.Errorf("%s calls %s %d times, not once", f.Name.Name, callee, len(all))
	}
	return all[0], nil
}

// structure finds a struct type by its name; nil if the file has none such.
func (s *source) structure(name string) *ast.StructType {
	for _, d := range s.tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, spec := range g.Specs {
			if t, ok := spec.(*ast.TypeSpec); ok && t.Name.Name == name {
				st, _ := t.Type.(*ast.StructType)
				return st
			}
		}
	}
	return nil
}

// hasField tells whether a struct has a field of that name.
func hasField(st *ast.StructType, name string) bool {
	for _, f := range st.Fields.List {
		for _, id := range f.Names {
			if id.Name == name {
				return true
			}
		}
	}
	return false
}

// constant finds a constant that is declared alone.
func (s *source) constant(name string) *ast.GenDecl {
	for _, d := range s.tree.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST || g.Lparen.IsValid() {
			continue
		}
		if v, ok := g.Specs[0].(*ast.ValueSpec); ok && len(v.Names) == 1 && v.Names[0].Name == name {
			return g
		}
	}
	return nil
}
