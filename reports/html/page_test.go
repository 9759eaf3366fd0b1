package html

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image/color"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"heisen/reports"
	"heisen/reports/history"
	"heisen/reports/internal/recorded"
	"heisen/stress/interleave"
	"heisen/stress/run"
)

// judged is the hostile page of a campaign that knows where failing and passing orders part, and that disturbed two
// of three attempts. Its events are handed back.
func judged(t *testing.T) (Page, string, []run.Event) {
	p, _ := hostile(t)
	events, sample := recorded.Rare(), &interleave.Sample{}
	h := &history.History{}
	for i, e := range events {
		if b, is := e.(run.Began); is {
			b.Spec.Chaos.Strategies = []string{"hold", "pin"}
			events[i] = b
		}
		if f, is := e.(run.Finished); is {
			if strategy := []string{"", "hold", "pin <b>"}[f.Seq%3]; strategy != "" {
				f.Chaos = &run.Chaos{Strategy: strategy}
			}
			a := p.Pass
			if f.Outcome.Failed() {
				a = p.Fail
			}
			f.Variant = a.Form().Variant
			sample.Add(&f, a.Form())
			events[i] = f
		}
		h.Add(events[i])
	}
	r := reports.Build(recorded.Tally(t, events), reports.Facts{Dir: recorded.Dir, Compare: true, Interleavings: sample})
	r.Signatures[0].Title, r.Command = p.Report.Signatures[0].Title, p.Report.Command
	require.NotNil(t, r.Divergence)
	p.Report, p.History = r, h
	var b bytes.Buffer
	require.NoError(t, Write(&b, p))
	return p, b.String(), events
}

// A person at the page: who looks, points, clicks, drags, types and chooses. What is seen is compared with the
// journal's figures, not with what the page was given.
func TestThePageInABrowser(t *testing.T) {
	chromium := launch(t)
	p, text, events := judged(t)
	b := open(t, chromium, text)
	require.Equal(t, "drawn", js[string](b, `document.documentElement.dataset.timeline || ""`))
	seesTheMark(t, b, p)
	zooms(t, b)
	usesKeys(t, b)
	filters(t, b, events)
	looksRight(t, b)
	requests, complaints, dialogs := b.heard()
	require.Empty(t, requests, "no request beside the page itself")
	require.Empty(t, complaints, "what the page's console says")
	require.Empty(t, dialogs)
}

// TestFault29MarkupIsText: markup in names and output makes no element and runs nothing.
func TestFault29MarkupIsText(t *testing.T) {
	chromium := launch(t)
	_, text, _ := judged(t)
	const made = `document.querySelectorAll("img, iframe, link, object, main b").length`
	b := open(t, chromium, text)
	require.Equal(t, "drawn", js[string](b, `document.documentElement.dataset.timeline || ""`))
	require.Zero(t, js[int](b, made))
	require.Equal(t, 3, js[int](b, `document.scripts.length`), "two of data and one of our own")
	_, complaints, dialogs := b.heard()
	require.Empty(t, complaints)
	require.Empty(t, dialogs)

	control := open(t, chromium, html.UnescapeString(text))
	require.NotZero(t, js[int](control, made), "control: not escaped, it makes elements")
	holds(t, chromium, text)
}

// holds makes a hole in the page: the policy holds, and the console tells, so that a silent console means something.
func holds(t *testing.T, chromium context.Context, text string) {
	b := open(t, chromium, strings.Replace(text, "<main>", `<main><script>document.documentElement.dataset.owned="1"</script><img src="http://127.0.0.1:9/x" onerror="document.documentElement.dataset.owned='2'">`, 1))
	require.Equal(t, "drawn", js[string](b, `document.documentElement.dataset.timeline || ""`))
	require.Equal(t, "", js[string](b, `document.documentElement.dataset.owned || ""`))
	require.Equal(t, 1, js[int](b, `document.images.length`), "the hole was there")
	_, complaints, _ := b.heard()
	require.Contains(t, strings.Join(complaints, "\n"), "Content Security Policy")
}

// seesTheMark finds the red line by its pixels and points at it: what is told there is the event at which the
// campaign's failing and passing orders part.
func seesTheMark(t *testing.T, b *tab, p Page) {
	d := p.Report.Divergence
	require.Equal(t, strconv.Itoa(d.Number), js[string](b, `document.querySelector("#parting").dataset.number`))
	require.Equal(t, d.Event, js[string](b, `document.querySelector("#parting").dataset.event`))
	for i, a := range []struct {
		at    time.Duration
		event string
	}{{8 * time.Millisecond, "close"}, {8 * time.Millisecond, "read"}} {
		canvas := fmt.Sprintf("#track%d", i)
		line, at := redLine(t, b, canvas), b.where(canvas)
		b.do(chromedp.MouseEvent(chromedp.MouseMoved, at.X+line, at.Y+24+22+11)) // the second row
		tip := b.text("#tip")
		require.Contains(t, tip, "worker")
		require.Contains(t, tip, "8.00 ms test: "+a.event, "track %d", i)
	}
	require.Contains(t, d.Event, "read", "the passing order's next event")
}

// redLine is where the canvas has a column of the failure's colour from its head to its foot, in pixels.
func redLine(t *testing.T, b *tab, canvas string) float64 {
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, 1, 1)) // no cursor
	img := b.shot(canvas)
	size := img.Bounds()
	for x := size.Min.X; x < size.Max.X; x++ {
		red := 0
		for y := size.Min.Y + 24; y < size.Max.Y; y++ {
			if r, g, blue, _ := img.At(x, y).RGBA(); r>>8 > 190 && g>>8 < 110 && blue>>8 < 110 {
				red++
			}
		}
		if red > (size.Dy()-24)*9/10 {
			return float64(x-size.Min.X) + 0.5
		}
	}
	t.Fatalf("%s has no red line", canvas)
	return 0
}

// view is what of the time is seen, in microseconds from where both part.
type span struct{ From, To float64 }

func (s span) width() float64 { return s.To - s.From }

func (b *tab) view() span {
	b.t.Helper()
	return js[span](b, `({From: Number(document.querySelector("#track0").dataset.from), To: Number(document.querySelector("#track0").dataset.to)})`)
}

// held tells that the left button is down while the mouse moves.
func held(p *input.DispatchMouseEventParams) { p.Buttons = 1 }

func zooms(t *testing.T, b *tab) {
	all := b.view()
	b.click("#zoom-in")
	require.InEpsilon(t, all.width()/2, b.view().width(), 1e-6)
	b.click("#zoom-out")
	require.InEpsilon(t, all.width(), b.view().width(), 1e-6)
	b.click("#zoom-parting")
	near := b.view()
	require.Less(t, near.width(), all.width()/5)
	require.InDelta(t, 0, (near.From+near.To)/2, 1, "in the middle is where both part")
	require.InDelta(t, 0, math.Abs(redLine(t, b, "#track0")-redLine(t, b, "#track1")), 1, "both at one place")

	at := b.where("#track0")
	x, y := at.X+at.W*0.6, at.Y+40
	b.do(chromedp.MouseEvent(chromedp.MousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(chromedp.MouseMoved, x-100, y, chromedp.ButtonLeft, held),
		chromedp.MouseEvent(chromedp.MouseReleased, x-100, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	dragged := b.view()
	require.InEpsilon(t, near.width(), dragged.width(), 1e-6)
	require.Greater(t, dragged.From, near.From, "the picture follows the mouse")

	b.do(chromedp.MouseEvent("mouseWheel", x, y, chromedp.ButtonModifiers(chromedp.ModifierCtrl), func(p *input.DispatchMouseEventParams) { p.DeltaX, p.DeltaY = 1, -100 }))
	require.Less(t, b.view().width(), dragged.width(), "Ctrl and the wheel")
	b.do(chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
	require.Less(t, b.view().width(), dragged.width()*0.8*0.5, "a double click")
	b.click("#zoom-reset")
	require.InDelta(t, all.From, b.view().From, 1e-3)
}

func usesKeys(t *testing.T, b *tab) {
	focused := func() string {
		return js[string](b, `document.activeElement.id || document.activeElement.name || document.activeElement.tagName`)
	}
	js[bool](b, `(document.activeElement.blur(), window.getSelection().removeAllRanges(), window.scrollTo(0, 0), true)`)
	b.do(chromedp.MouseClickXY(5, 5))
	var order []string
	for range 8 {
		b.press(kb.Tab)
		order = append(order, focused())
	}
	require.Equal(t, "zoom-in zoom-out zoom-reset zoom-parting track0 track1 outcome signature", strings.Join(order, " "), "everything is reached in order")

	b.focus("#track1")
	all := b.view()
	b.press("+")
	require.Less(t, b.view().width(), all.width())
	b.press("-")
	require.InEpsilon(t, all.width(), b.view().width(), 1e-6)
	b.press(kb.ArrowRight)
	require.Greater(t, b.view().From, all.From)
	b.press("0")
	require.InDelta(t, all.From, b.view().From, 1e-3)
	b.press(kb.ArrowDown, kb.ArrowDown) // the worker's row
	require.Contains(t, b.text("#tip"), "worker")
	var met []string
	for range 6 {
		b.press("n")
		for _, line := range strings.Split(b.text("#tip"), "\n") {
			if _, name, told := strings.Cut(line, " test: "); told && (len(met) == 0 || met[len(met)-1] != name) {
				met = append(met, name)
			}
		}
	}
	require.Equal(t, []string{"close"}, met, "from the middle on, the rest of what the passing attempt told")
	for range 6 {
		b.press("p")
	}
	require.Contains(t, b.text("#tip"), "on CPU 1", "and back to its first")
	b.press("d")
	require.Less(t, b.view().width(), all.width()/5)
	b.press(kb.Escape)
	require.Contains(t, b.text("#tip"), "Keys:", "the cursor is gone")
	b.press("0")
}

// counted are attempts that a filter chooses, told by the events alone.
func counted(events []run.Event, chosen func(run.Finished) bool) (all, failed int) {
	for _, e := range events {
		if f, is := e.(run.Finished); is && chosen(f) {
			all++
			if f.Outcome.Failed() {
				failed++
			}
		}
	}
	return all, failed
}

func filters(t *testing.T, b *tab, events []run.Event) {
	total, failures := counted(events, func(run.Finished) bool { return true })
	ticks := `[...document.querySelectorAll("line.tick")].filter(e => getComputedStyle(e).visibility === "visible").length`
	expect := func(why string, chosen func(run.Finished) bool) {
		t.Helper()
		all, failed := counted(events, chosen)
		require.Equal(t, fmt.Sprintf("%s of %s attempts; %d of %d listed", comma(all), comma(total), failed, failures), b.text("#chosen"), why)
		rows := js[[]string](b, `[...document.querySelectorAll("#failures tr")].filter(e => e.offsetHeight > 0).map(e => e.cells[0].textContent)`)
		require.Len(t, rows, failed, why)
		require.Equal(t, failed, js[int](b, ticks), "%s: ticks of one picture, each failure in a stretch of its own", why)
	}
	expect("at first", func(f run.Finished) bool { return f.Outcome.Failed() })

	// By keys: f goes to the filter, the first letters of an entry choose it.
	b.focus("#zoom-in")
	b.press("f", "c", "r")
	expect("outcome crash", func(f run.Finished) bool { return f.Outcome == run.Crash })
	b.press(kb.Escape)
	expect("all failing again", func(f run.Finished) bool { return f.Outcome.Failed() })
	b.press(kb.ArrowDown)
	expect("any outcome", func(run.Finished) bool { return true })
	b.press(kb.Tab, kb.Tab, "h")
	expect("strategy hold", func(f run.Finished) bool { return f.Chaos != nil && f.Chaos.Strategy == "hold" })

	// By mouse: a strategy and a kind of failure in the tables below.
	b.click(`button[data-filter="strategy"][data-value^="pin"]`)
	expect("strategy pin, of the table", func(f run.Finished) bool { return f.Chaos != nil && f.Chaos.Strategy == "pin <b>" })
	b.click(`button[data-filter="strategy"][data-value=""]`)
	expect("plain, of the table", func(f run.Finished) bool { return f.Chaos == nil })
	b.click(`button[data-filter="signature"][data-value="9f31c0de"]`)
	expect("a signature, of the table", func(f run.Finished) bool { return f.Filed != nil && f.Filed.Signature == "9f31c0de" })
	b.click(`#filter button[type="reset"]`)
	expect("all failing", func(f run.Finished) bool { return f.Outcome.Failed() })

	// A page that is kept up to date puts its pictures there anew: what was chosen stays.
	b.click(`button[data-filter="signature"][data-value="77aa12bc"]`)
	js[bool](b, `(() => { const p = document.querySelector("#pictures"); p.innerHTML = p.innerHTML; return true; })()`)
	expect("after an update", func(f run.Finished) bool { return f.Outcome == run.Crash })
	require.Equal(t, "77aa12bc", js[string](b, `document.querySelector("#filter").elements.signature.value`))
	b.click(`#filter button[type="reset"]`)
}

func comma(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// looksRight reads colours off the screen: text and what it stands on differ enough in both themes (WCAG 2.1, 1.4.3),
// and a dark page is dark.
func looksRight(t *testing.T, b *tab) {
	for theme, dark := range map[string]bool{"light": false, "dark": true} {
		b.theme(theme)
		var paper, ink, muted, card string
		read := func(into *string, name string) {
			*into = js[string](b, `getComputedStyle(document.documentElement).getPropertyValue("--`+name+`").trim()`)
		}
		read(&paper, "paper")
		read(&ink, "ink")
		read(&muted, "muted")
		read(&card, "card")
		require.Equal(t, dark, luminance(t, paper) < 0.2, theme)
		for _, text := range []string{ink, muted} {
			require.GreaterOrEqual(t, contrastOf(t, text, paper), 4.5, "%s: %s on %s", theme, text, paper)
			require.GreaterOrEqual(t, contrastOf(t, text, card), 4.5, "%s: %s on %s", theme, text, card)
		}
		img := b.shot("#track0")
		corner := color.GrayModel.Convert(img.At(img.Bounds().Max.X-2, img.Bounds().Min.Y+12)).(color.Gray)
		require.Equal(t, dark, corner.Y < 100, "%s: the timeline is drawn in its colours", theme)
	}
	b.theme("light")
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 4 {
		hex = string([]byte{'#', hex[1], hex[1], hex[2], hex[2], hex[3], hex[3]})
	}
	v, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	require.NoError(t, err, hex)
	part := func(c uint64) float64 {
		s := float64(c&0xff) / 255
		if s <= 0.03928 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*part(v>>16) + 0.7152*part(v>>8) + 0.0722*part(v)
}

func contrastOf(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
