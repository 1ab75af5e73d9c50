//! Tables as a paper prints them, embedded as CSV: a comment line that states the source, headers, rows.

/// A printed table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    headers: Vec<&'static str>,
    rows: Vec<Vec<&'static str>>,
}

impl Printed {
    /// Reads an embedded table: lines that begin with `#` are comments, cells are parted by commas and never quoted.
    pub fn new(csv: &'static str) -> Self {
        let mut lines = csv.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
        let cells = |line: &'static str| line.split(',').map(str::trim).collect::<Vec<_>>();
        let headers = lines.next().map(cells).unwrap_or_default();
        let rows: Vec<_> = lines.map(cells).collect();
        assert!(rows.iter().all(|row| row.len() == headers.len()), "ragged: {headers:?}");
        Printed { headers, rows }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A cell by row and header; empty for a header that is not there.
    pub fn text(&self, row: usize, header: &str) -> &'static str {
        self.headers.iter().position(|h| *h == header).map_or("", |column| self.rows[row][column])
    }

    /// A cell as a number, if it is one.
    pub fn number(&self, row: usize, header: &str) -> Option<f64> {
        self.text(row, header).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_are_found_by_header() {
        let printed = super::Printed::new("# source\na,b\nx,1e-3\ny,NA\n");
        assert_eq!((printed.len(), printed.text(0, "a"), printed.number(0, "b")), (2, "x", Some(1e-3)));
        assert_eq!((printed.number(1, "b"), printed.text(1, "c")), (None, ""));
    }
}
