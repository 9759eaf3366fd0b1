package main

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/urfave/cli/v2"
)

// The pages of heisen help TOPIC: a first line that is the title, a blank one, the text.
//
//go:embed topics/*.txt
var topicFiles embed.FS

// exitCodesTopic is the one page that every command's help has too.
const exitCodesTopic = "exit-codes"

// topic is a page of the help that belongs to no command.
type topic struct{ name, title, text string }

// topics are all there are, in the order of their names.
func topics() ([]topic, error) {
	files, err := fs.ReadDir(topicFiles, "topics")
	if err != nil {
		return nil, err
	}
	all := []topic{{exitCodesTopic, "What an exit code says", exitCodesHelp + "\n"}}
	for _, f := range files {
		page, err := topicFiles.ReadFile(path.Join("topics", f.Name()))
		if err != nil {
			return nil, err
		}
		title, text, _ := strings.Cut(string(page), "\n\n")
		all = append(all, topic{strings.TrimSuffix(f.Name(), ".txt"), title, text})
	}
	return all, nil
}

const flagMan = "man"

func helpCommand(stdout io.Writer) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "explain a command or a topic",
		ArgsUsage: "[COMMAND|TOPIC]",
		Description: `Without an argument it lists commands and topics.

EXAMPLES:
   heisen help
   heisen help soak
   heisen help outcomes
   heisen help --man > heisen.1`,
		OnUsageError: onUsageError,
		Flags:        []cli.Flag{&cli.BoolFlag{Name: flagMan, Usage: "write the manual page, in roff"}},
		BashComplete: completeHelp,
		Action:       func(c *cli.Context) error { return help(c, stdout) },
	}
}

func help(c *cli.Context, stdout io.Writer) error {
	pages, err := topics()
	if err != nil {
		return fmt.Errorf("read the help: %w", err)
	}
	word := c.Args().First()
	switch {
	case c.NArg() > 1:
		return usagef("help explains one command or topic at a time, not %d", c.NArg())
	case c.Bool(flagMan) && word != "":
		return usagef("help --man is about all of heisen: leave %q out", word)
	case c.Bool(flagMan):
		return writeManual(stdout, c.App, pages)
	case word == "":
		return helpOverview(c, stdout, pages)
	}
	for _, t := range pages {
		if t.name == word {
			_, err := fmt.Fprintf(stdout, "%s\n\n%s", t.title, t.text)
			return err
		}
	}
	if c.App.Command(word) == nil {
		return usagef("no command and no topic is called %q: heisen help lists both", word)
	}
	// The library prints a command's help only for its parent's context.
	return cli.ShowCommandHelp(c.Lineage()[1], word)
}

func helpOverview(c *cli.Context, stdout io.Writer, pages []topic) error {
	if err := cli.ShowAppHelp(c.Lineage()[1]); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("\nTOPICS (heisen help TOPIC):\n")
	for _, t := range pages {
		fmt.Fprintf(&b, "   %-12s %s\n", t.name, t.title)
	}
	_, err := io.WriteString(stdout, b.String())
	return err
}
