package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

// writeManual writes heisen(1), made of the very texts that the help prints: the commands' and the topics'.
func writeManual(w io.Writer, app *cli.App, pages []topic) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%% heisen 1 \"\" \"heisen %s\" \"User Commands\"\n\n", app.Version)
	fmt.Fprintf(&b, "# NAME\n\nheisen - %s\n\n", app.Usage)
	b.WriteString("# SYNOPSIS\n\n**heisen** *COMMAND* [*FLAGS*] [*ARGUMENTS*]\n\n**heisen help** [*COMMAND*|*TOPIC*]\n\n")
	fmt.Fprintf(&b, "# DESCRIPTION\n\n%s# COMMANDS\n\n", verbatim(app.Description))
	for _, command := range app.VisibleCommands() {
		manualOfCommand(&b, command)
	}
	for _, t := range pages {
		fmt.Fprintf(&b, "# %s\n\n%s.\n\n%s", strings.ToUpper(t.name), t.title, verbatim(t.text))
	}
	_, err := w.Write(md2man.Render([]byte(b.String())))
	return err
}

func manualOfCommand(b *strings.Builder, command *cli.Command) {
	fmt.Fprintf(b, "## heisen %s %s\n\n%s.\n\n%s", command.Name, markdownText(command.ArgsUsage), markdownText(command.Usage), verbatim(command.Description))
	for _, flag := range command.VisibleFlags() {
		name, usage, _ := strings.Cut(flag.String(), "\t")
		fmt.Fprintf(b, "**%s**\n: %s\n\n", markdownText(strings.TrimSpace(name)), markdownText(strings.TrimSpace(usage)))
	}
}

// verbatim is text as it stands: the help is laid out by hand.
func verbatim(text string) string {
	return "```\n" + strings.Trim(text, "\n") + "\n```\n\n"
}

// markdownText is words in which nothing is markup.
func markdownText(text string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "<", "\\<", "|", "\\|").Replace(text)
}
