//! Pictures: charts, convergence curves, landscapes, animations. Everything is drawn as SVG by a writer of our own; [`png`]
//! rasterises an SVG with the embedded font, so that both look alike on every machine.

pub mod animate;
pub mod axis;
pub mod bars;
pub mod chart;
pub mod color;
pub mod convergence;
pub mod font;
pub mod front;
pub mod heatmap;
pub mod landscape;
pub mod parallel;
pub mod raster;
pub mod sheet;
pub mod svg;

pub use animate::{Animation, Frame};
pub use axis::{Axis, Scale, Tick};
pub use bars::Bars;
pub use chart::{Chart, Legend, Line, Marks};
pub use convergence::Convergence;
pub use front::front;
pub use heatmap::Heatmap;
pub use landscape::{Grid, Landscape, Mark, Marker, Shade, Trail};
pub use parallel::Parallel;
pub use raster::png;
pub use sheet::{rows, sheet};
