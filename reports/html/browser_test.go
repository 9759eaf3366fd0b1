package html

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"heisen/reports/internal/tool"
)

// tab is a page in a browser without a screen, and what the browser said of it.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	requests   []string // beside the page itself
	complaints []string
	dialogs    []string
}

// launch starts a browser, which ends with the test. Each tab is opened in it.
func launch(t *testing.T) context.Context {
	t.Helper()
	path := tool.Path(t, "chromium", "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, _ = chromedp.NewContext(ctx)
	require.NoError(t, chromedp.Do(ctx), "start %s", path)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits for the process, which has files in the folder
	return ctx
}

// open shows a page from disk, as somebody does who was sent it.
func open(t *testing.T, chromium context.Context, text string) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	ctx, cancel := chromedp.NewContext(chromium)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Listen(ctx, func(event any) { b.hear(event, "file://"+file) }))
	call(b, network.Enable, network.EnableParams{})
	call(b, log.Enable, cdp.Empty{})
	b.do(chromedp.EmulateViewport(1200, 900), chromedp.Navigate("file://"+file))
	return b
}

func (b *tab) hear(event any, own string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != own {
			b.requests = append(b.requests, e.Request.URL)
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, "console."+string(e.Type))
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Text)
	case *page.EventJavascriptDialogOpening:
		b.dialogs = append(b.dialogs, e.Message)
		go func() { _, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}) }()
	}
}

// heard is what the browser said so far.
func (b *tab) heard() (requests, complaints, dialogs []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string{}, b.requests...), append([]string{}, b.complaints...), append([]string{}, b.dialogs...)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, actions...))
}

// call sends a command of the browser's protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b.t, err, command.Method)
}

func (b *tab) click(selector string) {
	b.t.Helper()
	require.True(b.t, js[bool](b, "!!document.querySelector(`"+selector+"`)"), "there is no %s", selector)
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) focus(selector string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(selector)))
}

// shot is the picture of an element as it is on the screen.
func (b *tab) shot(selector string) image.Image {
	b.t.Helper()
	data, err := chromedp.Run(b.ctx, chromedp.Screenshot(chromedp.CSS(selector)))
	require.NoError(b.t, err)
	img, err := png.Decode(bytes.NewReader(data))
	require.NoError(b.t, err)
	return img
}

// js evaluates an expression in the page into a value of a type.
func js[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	require.NoError(b.t, err, expression)
	return v
}

// press types keys, where the focus is.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		for _, r := range key {
			b.key(r)
		}
	}
}

// key is one key as a keyboard sends it: its text comes with its going down, so that a page can prevent it.
func (b *tab) key(r rune) {
	b.t.Helper()
	events := kb.Encode(r)
	for _, e := range events {
		switch {
		case e.Type == kb.KeyChar:
			continue
		case e.Type == kb.KeyDown && len(events) == 3:
			e.Text, e.UnmodifiedText = events[1].Text, events[1].UnmodifiedText
		}
		call(b, input.DispatchKeyEvent, *e)
	}
}

// place is where an element is in the window.
type place struct{ X, Y, W, H float64 }

// where scrolls to an element and says where it is now.
func (b *tab) where(selector string) place {
	b.t.Helper()
	return js[place](b, `(() => { const e = document.querySelector("`+selector+`"); e.scrollIntoView({block: "center"}); const r = e.getBoundingClientRect(); return {X: r.x, Y: r.y, W: r.width, H: r.height}; })()`)
}

func (b *tab) theme(name string) {
	b.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// text is what an element reads.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(js[string](b, `document.querySelector("`+selector+`").textContent`))
}
