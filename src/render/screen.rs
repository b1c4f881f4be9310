//! The terminal while a report refreshes in place.

use std::io::{self, Write};

use crossterm::{cursor, queue, terminal};

use super::names::within;

/// The alternate screen: what was on the terminal before is there again when this is dropped, also after
/// a panic, and the shell's scrollback holds no hundred tables.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn open() -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            restore();
            before(info);
        }));
        let mut out = io::stdout().lock();
        queue!(out, terminal::EnterAlternateScreen, cursor::Hide)?;
        out.flush()?;
        Ok(Self(()))
    }

    /// Shows the text from the top, without flicker, cut to the terminal: a line that it breaks moves all others.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn show(&self, text: &str) -> io::Result<()> {
        let (columns, rows) = terminal::size()
            .ok()
            .filter(|(columns, rows)| *columns > 0 && *rows > 0)
            .map_or((usize::MAX, usize::MAX), |(columns, rows)| {
                (columns.into(), rows.into())
            });
        let mut out = io::stdout().lock();
        queue!(out, terminal::BeginSynchronizedUpdate, cursor::MoveTo(0, 0))?;
        let lines = text.lines().count();
        for (i, line) in text.lines().take(rows).enumerate() {
            if i > 0 {
                write!(out, "\r\n")?;
            }
            // Behind a line that fills its row the cursor still stands on its last character.
            queue!(out, terminal::Clear(terminal::ClearType::UntilNewLine))?;
            let left_out =
                (i + 1 == rows && lines > rows).then(|| format!("… {} more lines", lines - i));
            let line = left_out.as_deref().unwrap_or(line);
            write!(out, "{}", within(line.chars(), columns).collect::<String>())?;
        }
        if lines < rows {
            write!(out, "\r\n")?;
            queue!(out, terminal::Clear(terminal::ClearType::FromCursorDown))?;
        }
        queue!(out, terminal::EndSynchronizedUpdate)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    let mut out = io::stdout().lock();
    // Nothing can be done where the terminal is gone.
    let _ = queue!(out, cursor::Show, terminal::LeaveAlternateScreen).and_then(|()| out.flush());
}

/// The terminal's width in columns; `None` where stdout is none.
pub fn width() -> Option<usize> {
    use std::io::IsTerminal;
    let columns = || {
        terminal::size()
            .ok()
            .map(|(columns, _)| usize::from(columns))
            .filter(|c| *c > 0)
    };
    io::stdout().is_terminal().then(|| columns().unwrap_or(80))
}
