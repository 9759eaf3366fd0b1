// Command pictures takes pictures of an HTML report in both themes, for README.md and for looking at:
//
//	go run ./scripts/pictures report.html DIR
//
// DIR/timeline-light.png and -dark.png show the timeline alone, where both attempts part, page-light.png and -dark.png the whole page. It needs
// Chromium (apt-get install chromium).
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// width of the window, in pixels.
const width = 1060

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pictures REPORT.html DIR")
		os.Exit(2)
	}
	if err := take(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func take(page, dir string) error {
	page, err := filepath.Abs(page)
	if err != nil {
		return fmt.Errorf("find the page: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder for the pictures: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("hide-scrollbars", true))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for _, theme := range []string{"light", "dark"} {
		if err := themed(ctx, page, dir, theme); err != nil {
			return fmt.Errorf("take pictures of %s: %w", page, err)
		}
	}
	return nil
}

func themed(ctx context.Context, page, dir, theme string) error {
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
		return err
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		return err
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("file://"+page)); err != nil {
		return err
	}
	if err := shoot(ctx, chromedp.FullScreenshot(100), filepath.Join(dir, "page-"+theme+".png")); err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](nearer)); err != nil {
		return err
	}
	return shoot(ctx, chromedp.Screenshot(chromedp.CSS("#timeline")), filepath.Join(dir, "timeline-"+theme+".png"))
}

// nearer shows the time around where both attempts part, if they do.
const nearer = `["zoom-parting", "zoom-out"].every(id => { const b = document.getElementById(id); if (b) b.click(); return true; })`

func shoot(ctx context.Context, picture chromedp.Action[[]byte], file string) error {
	data, err := chromedp.Run(ctx, picture)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
