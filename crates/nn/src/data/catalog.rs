//! The catalogue: every data set the library knows by name.
//!
//! Small sets are part of the program; the others are fetched (`swarmgrad data fetch NAME`), and their prepared table is
//! held to its sha256 whenever it is read.

use super::csv::{self, Format, Target};
use super::images::{ImageFiles, Published};
use super::table::{Table, Values};
use super::{Preset, Task, fetch, read_text};
use sha2::{Digest, Sha256};
use std::path::Path;
use swarmgrad_core::{Error, Result};

/// Where a data set is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the program: the text of its table.
    Embedded(&'static str),
    /// In the data folder, once fetched.
    Fetch,
    /// In the data folder: images, a part to learn from and a part to be judged on.
    Images(ImageFiles),
}

/// Which rows the paper used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// All.
    All,
    /// Those without a missing value.
    Complete,
    /// Those with a value in this column.
    With(&'static str),
}

/// A data set of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// One line: what it is.
    pub about: &'static str,
    /// Classes or numbers.
    pub task: Task,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns beside the target.
    pub features: usize,
    /// The classes and how many rows each has, in the order of their indices; empty for regression.
    pub classes: &'static [(&'static str, usize)],
    /// Number of missing values.
    pub missing: usize,
    /// Under which terms it may be used.
    pub licence: &'static str,
    /// Its public source.
    pub url: &'static str,
    /// Name of the file of its prepared table.
    pub file: &'static str,
    /// Where it is.
    pub place: Place,
    /// Checksum of the prepared table, in hexadecimal; empty for [`Place::Images`].
    pub sha256: &'static str,
    /// Columns that hold categories.
    pub categorical: &'static [&'static str],
    /// Columns in which 0 stands for a missing value; the preset `full` takes it so, the paper did not.
    pub zero_is_missing: &'static [&'static str],
    /// The rows of the preset `paper`.
    pub paper: Rows,
}

/// The IDX files of MNIST: name without `.gz`, and the sha256 of the decompressed bytes. Training images and labels, then
/// those of the test part.
pub static MNIST: [(&str, &str); 4] = [
    ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
];

/// The entry called `name`; an unknown name gets the nearest right one.
pub fn entry(name: &str) -> Result<&'static Entry> {
    let found = ENTRIES.iter().find(|entry| entry.name == name);
    found.ok_or_else(|| Error::unknown("data set", name, ENTRIES.iter().map(|entry| entry.name)))
}

impl Entry {
    /// The whole table as it was prepared, missing values and all.
    ///
    /// Errors if the set is not fetched (the message says the command), if the file's checksum is not the pinned one, and
    /// for images, which are no table.
    pub fn table(&self) -> Result<Table> {
        match self.place {
            Place::Embedded(text) => self.parse(text, self.name),
            Place::Fetch => {
                let path = fetch::find(self.file).ok_or_else(|| self.not_fetched())?;
                let text = read_text(&path)?;
                self.verify(text.as_bytes(), &path)?;
                Ok(Table { name: self.name.into(), ..self.parse(&text, &path.display().to_string())? })
            }
            Place::Images(_) => Err(Error::parameter(
                "data set",
                self.name,
                "holds images, not a table: use `data::parts` or `data::images`",
            )),
        }
    }

    /// Errors unless the bytes are those of the prepared table.
    pub(super) fn verify(&self, bytes: &[u8], path: &Path) -> Result<()> {
        match sha256(bytes) {
            digest if digest == self.sha256 => Ok(()),
            digest => Err(wrong_checksum(path, &digest, self.sha256)),
        }
    }

    /// What is said where the set is not in the data folder.
    pub(super) fn not_fetched(&self) -> Error {
        let rule = format!("is not fetched yet: run `swarmgrad data fetch {}`", self.name);
        Error::parameter("data set", self.name, rule)
    }

    /// What is said where a file of images is not in the data folder.
    pub(super) fn lacks(&self, file: &str) -> Error {
        match self.place {
            Place::Images(files) => match files.published() {
                Some(published) => {
                    let rule = format!("there is no {file} in the data folder; {}", self.how_to_bring(published));
                    Error::parameter("data set", self.name, rule)
                }
                None => self.not_fetched(),
            },
            _ => self.not_fetched(),
        }
    }

    /// How a set that the program does not fetch gets into the data folder.
    pub(super) fn how_to_bring(&self, Published { archive, folders }: Published) -> String {
        let folders = folders.join("` or `");
        format!(
            "get {archive} from {}, unpack it, and put its files into the folder `{folders}` of $SWARMGRAD_DATA, as they are called \
             there",
            self.url
        )
    }

    /// Whether it can be loaded without fetching it first.
    pub fn is_there(&self) -> bool {
        match self.place {
            Place::Embedded(_) => true,
            Place::Fetch => fetch::find(self.file).is_some(),
            Place::Images(files) => files.are_there(),
        }
    }

    pub(super) fn parse(&self, text: &str, name: &str) -> Result<Table> {
        let target = Target::Last;
        let categorical = self.categorical.iter().map(|&column| column.to_owned()).collect();
        csv::parse(
            text,
            name,
            &Format { header: Some(true), target, task: Some(self.task), categorical, ..Format::default() },
        )
    }

    /// The rows of a preset. All of them for `full`, where [`Entry::zero_is_missing`] holds too.
    pub(super) fn take(&self, mut table: Table, preset: Preset) -> Result<Table> {
        if preset == Preset::Full {
            for column in &mut table.columns {
                if let (Values::Numbers(numbers), true) =
                    (&mut column.values, self.zero_is_missing.contains(&&*column.name))
                {
                    numbers.iter_mut().for_each(|number| *number = number.filter(|&value| value != 0.0));
                }
            }
            return Ok(table);
        }
        match self.paper {
            Rows::All => Ok(table),
            Rows::Complete => Ok(table.select(&table.complete())),
            Rows::With(name) => {
                let column = table.column(name)?;
                let rows: Vec<_> = (0..table.len()).filter(|&i| !column.is_missing(i)).collect();
                Ok(table.select(&rows))
            }
        }
    }
}

pub(super) fn wrong_checksum(path: &Path, found: &str, expected: &str) -> Error {
    Error::parameter(format!("{}: sha256", path.display()), found, format!("must be {expected}"))
}

/// The sha256 of the bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// All data sets: the fifteen of the AdaSwarm paper (and all 583 rows of one of them), then the others.
pub static ENTRIES: &[Entry] = &[
    Entry {
        name: "iris",
        about: "Iris flowers by petal and sepal",
        task: Task::Classification,
        rows: 150,
        features: 4,
        classes: &[("setosa", 50), ("versicolor", 50), ("virginica", 50)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/53/iris.zip",
        file: "iris.csv",
        place: Place::Embedded(include_str!("embedded/iris.csv")),
        sha256: "2495d965d79282f30ad3b9828f2be678d37de4bb6ecad0825358528d2a75797d",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "ionosphere",
        about: "radar returns from the ionosphere, good or bad",
        task: Task::Classification,
        rows: 351,
        features: 34,
        classes: &[("b", 126), ("g", 225)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/52/ionosphere.zip",
        file: "ionosphere.csv",
        place: Place::Embedded(include_str!("embedded/ionosphere.csv")),
        sha256: "c3c36b692d178f83a1dc212112fa2c703a8b236a60b7146bf969e43b19efd3e1",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "wbc",
        about: "breast tumours, nine cytological grades (Wisconsin original)",
        task: Task::Classification,
        rows: 699,
        features: 9,
        classes: &[("benign", 458), ("malignant", 241)],
        missing: 16,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/15/breast+cancer+wisconsin+original.zip",
        file: "wbc.csv",
        place: Place::Embedded(include_str!("embedded/wbc.csv")),
        sha256: "e613872a70c1bfb18e2348536e5d72cd377ea0fe1d4297c59c5ae460476ad7ce",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::Complete,
    },
    Entry {
        name: "sonar",
        about: "sonar returns: mine or rock",
        task: Task::Classification,
        rows: 208,
        features: 60,
        classes: &[("M", 111), ("R", 97)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/151/connectionist+bench+sonar+mines+vs+rocks.zip",
        file: "sonar.csv",
        place: Place::Embedded(include_str!("embedded/sonar.csv")),
        sha256: "82d753681b41cd83c11c9990b9f897b970ffef1b4138f135936cb724a84bf54b",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "seeds",
        about: "wheat kernels of three varieties",
        task: Task::Classification,
        rows: 210,
        features: 7,
        classes: &[("Canadian", 70), ("Kama", 70), ("Rosa", 70)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/236/seeds.zip",
        file: "seeds.csv",
        place: Place::Fetch,
        sha256: "0774e034f25c92f375f65f8abf76d9bb1a2564595e304d5bf426a578e2055e4a",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "banknote",
        about: "banknotes, wavelet statistics of their images",
        task: Task::Classification,
        rows: 1372,
        features: 4,
        classes: &[("0", 762), ("1", 610)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/267/banknote+authentication.zip",
        file: "banknote.csv",
        place: Place::Fetch,
        sha256: "a4e6eb57f00dc0c5696badf6553001e8871644b5b98ab1b2869054af1d255125",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "heart",
        about: "heart disease (Cleveland), present or not",
        task: Task::Classification,
        rows: 303,
        features: 13,
        classes: &[("0", 164), ("1", 139)],
        missing: 6,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/45/heart+disease.zip",
        file: "heart_cleveland.csv",
        place: Place::Embedded(include_str!("embedded/heart_cleveland.csv")),
        sha256: "59649e780bf06060bb0dbcd2f079278e2bfe6f457e583c300fcb97ffefc2d516",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::Complete,
    },
    Entry {
        name: "haberman",
        about: "survival of five years after breast surgery",
        task: Task::Classification,
        rows: 306,
        features: 3,
        classes: &[("died", 81), ("survived", 225)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/43/haberman+s+survival.zip",
        file: "haberman.csv",
        place: Place::Embedded(include_str!("embedded/haberman.csv")),
        sha256: "2c93781271ffc2b86f50eb2f768de2f304513c8029329976be580146dabf6dc7",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "wine",
        about: "Italian wines of three growers by chemistry",
        task: Task::Classification,
        rows: 178,
        features: 13,
        classes: &[("1", 59), ("2", 71), ("3", 48)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/109/wine.zip",
        file: "wine.csv",
        place: Place::Embedded(include_str!("embedded/wine.csv")),
        sha256: "588129b36d63da2939b123c1d64c864ed7c2226f550e2eab5a2d060e89441183",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "car",
        about: "acceptability of cars, six ordered categories",
        task: Task::Classification,
        rows: 1728,
        features: 6,
        classes: &[("acc", 384), ("good", 69), ("unacc", 1210), ("vgood", 65)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/19/car+evaluation.zip",
        file: "car.csv",
        place: Place::Embedded(include_str!("embedded/car.csv")),
        sha256: "0023b86e0dd3502aaa0e4a610ef4d8aebbba7ff40f53fa7c2f0543c68bee5114",
        categorical: &["buying", "maint", "doors", "persons", "lug_boot", "safety"],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "ilpd",
        about: "Indian liver patients, the 579 complete rows",
        task: Task::Classification,
        rows: 579,
        features: 10,
        classes: &[("healthy", 165), ("patient", 414)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/225/ilpd+indian+liver+patient+dataset.zip",
        file: "ilpd.csv",
        place: Place::Embedded(include_str!("embedded/ilpd.csv")),
        sha256: "37349535641fcd788883060715abb6f3a456e4918699fcd662e7255fbbbc2950",
        categorical: &["gender"],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "ilpd583",
        about: "Indian liver patients, all 583 rows",
        task: Task::Classification,
        rows: 583,
        features: 10,
        classes: &[("healthy", 167), ("patient", 416)],
        missing: 4,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/225/ilpd+indian+liver+patient+dataset.zip",
        file: "ilpd583.csv",
        place: Place::Fetch,
        sha256: "f6be997839d94944376158178e2a3b83f3a373715891eaf1faeaa29cd3a44229",
        categorical: &["gender"],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "abalone",
        about: "abalone, young (at most 11 rings) or old",
        task: Task::Classification,
        rows: 4177,
        features: 8,
        classes: &[("old", 960), ("young", 3217)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/1/abalone.zip",
        file: "abalone_binary.csv",
        place: Place::Embedded(include_str!("embedded/abalone_binary.csv")),
        sha256: "6a18438a92385af9bb129208174ba747cfd9a73faa06783561df2dca3202737b",
        categorical: &["sex"],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "titanic",
        about: "passengers of the Titanic, died or survived",
        task: Task::Classification,
        rows: 891,
        features: 7,
        classes: &[("died", 549), ("survived", 342)],
        missing: 179,
        licence: "none stated; passenger records of Hind / Encyclopedia Titanica, distributed by Vanderbilt and Kaggle",
        url: "https://raw.githubusercontent.com/mwaskom/seaborn-data/master/titanic.csv",
        file: "titanic.csv",
        place: Place::Fetch,
        sha256: "1444236cef28dfa879ce9f097b7488bf09477d37e31cfb91b0799bfef6c74d25",
        categorical: &["sex", "embarked"],
        zero_is_missing: &[],
        paper: Rows::With("age"),
    },
    Entry {
        name: "pima",
        about: "diabetes among Pima women",
        task: Task::Classification,
        rows: 768,
        features: 8,
        classes: &[("neg", 500), ("pos", 268)],
        missing: 0,
        licence: "public domain (NIDDK, Sigillito 1990)",
        url: "https://www.openml.org/d/37",
        file: "pima.csv",
        place: Place::Embedded(include_str!("embedded/pima.csv")),
        sha256: "3e1c434ade6e73a348ff55f8475098e9918868856a63c652dbee4a9542d4cc07",
        categorical: &[],
        zero_is_missing: &["glucose", "blood_pressure", "skin_thickness", "insulin", "bmi"],
        paper: Rows::All,
    },
    Entry {
        name: "mushroom",
        about: "mushrooms (Agaricus, Lepiota), edible or poisonous",
        task: Task::Classification,
        rows: 8124,
        features: 22,
        classes: &[("e", 4208), ("p", 3916)],
        missing: 2480,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/73/mushroom.zip",
        file: "mushroom.csv",
        place: Place::Embedded(include_str!("embedded/mushroom.csv")),
        sha256: "bc688a8e068a8594f97637e6f66160a606e03b0943072b0b81f9353da3e908c3",
        categorical: &[
            "cap_shape",
            "cap_surface",
            "cap_color",
            "bruises",
            "odor",
            "gill_attachment",
            "gill_spacing",
            "gill_size",
            "gill_color",
            "stalk_shape",
            "stalk_root",
            "stalk_surface_above_ring",
            "stalk_surface_below_ring",
            "stalk_color_above_ring",
            "stalk_color_below_ring",
            "veil_type",
            "veil_color",
            "ring_number",
            "ring_type",
            "spore_print_color",
            "population",
            "habitat",
        ],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "wdbc",
        about: "breast tumours, thirty measures of cell nuclei (Wisconsin diagnostic)",
        task: Task::Classification,
        rows: 569,
        features: 30,
        classes: &[("benign", 357), ("malignant", 212)],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/17/breast+cancer+wisconsin+diagnostic.zip",
        file: "wdbc.csv",
        place: Place::Embedded(include_str!("embedded/wdbc.csv")),
        sha256: "4faa438f16c04253d7cdf4eb1d31892b9dafecea2664499c0a473fb342142f45",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "digits",
        about: "handwritten digits, 8 x 8 pixels from 0 to 16",
        task: Task::Classification,
        rows: 1797,
        features: 64,
        classes: &[
            ("0", 178),
            ("1", 182),
            ("2", 177),
            ("3", 183),
            ("4", 181),
            ("5", 182),
            ("6", 181),
            ("7", 179),
            ("8", 174),
            ("9", 180),
        ],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/80/optical+recognition+of+handwritten+digits.zip",
        file: "digits8x8.csv",
        place: Place::Embedded(include_str!("embedded/digits8x8.csv")),
        sha256: "95c9eb5b4b626ba39d854a1c6e2d612e10bb3facc335685392c7d4ef37d153ee",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "diabetes",
        about: "progression of diabetes after a year",
        task: Task::Regression,
        rows: 442,
        features: 10,
        classes: &[],
        missing: 0,
        licence: "BSD-3-Clause as distributed with scikit-learn (Efron et al. 2004)",
        url: "https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        file: "diabetes.csv",
        place: Place::Embedded(include_str!("embedded/diabetes.csv")),
        sha256: "7dae9500120945f10f310cb7834fa7a4545e1aae0a4888012cd65f9102a828af",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "abalone_rings",
        about: "abalone, number of rings",
        task: Task::Regression,
        rows: 4177,
        features: 8,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/1/abalone.zip",
        file: "abalone_rings.csv",
        place: Place::Embedded(include_str!("embedded/abalone_rings.csv")),
        sha256: "b36baf97dbcb1ae8d70ae95dd06794ce7878aef96cefc29cd0c8ca0fd9f8aee1",
        categorical: &["sex"],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "concrete",
        about: "compressive strength of concrete, MPa",
        task: Task::Regression,
        rows: 1030,
        features: 8,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/165/concrete+compressive+strength.zip",
        file: "concrete.csv",
        place: Place::Embedded(include_str!("embedded/concrete.csv")),
        sha256: "1e4aaad98d6df459b1064c5dbada4461e1335740f53badc29fa19944ac2f715b",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "airfoil",
        about: "sound pressure of airfoils, dB",
        task: Task::Regression,
        rows: 1503,
        features: 5,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/291/airfoil+self+noise.zip",
        file: "airfoil.csv",
        place: Place::Embedded(include_str!("embedded/airfoil.csv")),
        sha256: "7ff3ee69c2a41e8b4788dde48a5b3245dbad88993629e86a4d3e887a8893ef9d",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "yacht",
        about: "residuary resistance of sailing yachts",
        task: Task::Regression,
        rows: 308,
        features: 6,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/243/yacht+hydrodynamics.zip",
        file: "yacht.csv",
        place: Place::Embedded(include_str!("embedded/yacht.csv")),
        sha256: "ff7a78b83b016cdfe3611be5bcec606d91019993f8bc1be831f6c754d70b26a6",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "winequality_red",
        about: "quality of red wines, graded 0 to 10",
        task: Task::Regression,
        rows: 1599,
        features: 11,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/186/wine+quality.zip",
        file: "winequality_red.csv",
        place: Place::Embedded(include_str!("embedded/winequality_red.csv")),
        sha256: "228372b9c106bcbb50ce14bb616873495975bd761d2641cfd02900427f1ff8be",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "auto_mpg",
        about: "fuel consumption of cars, miles per gallon",
        task: Task::Regression,
        rows: 398,
        features: 7,
        classes: &[],
        missing: 6,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/9/auto+mpg.zip",
        file: "auto_mpg.csv",
        place: Place::Embedded(include_str!("embedded/auto_mpg.csv")),
        sha256: "e7dff158ecf1fe3df277639fb62577c95b610af6ff0f46e1b4ca5052fb892189",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::Complete,
    },
    Entry {
        name: "ccpp",
        about: "power of a combined cycle plant, MW",
        task: Task::Regression,
        rows: 9568,
        features: 4,
        classes: &[],
        missing: 0,
        licence: "CC BY 4.0 (UCI)",
        url: "https://archive.ics.uci.edu/static/public/294/combined+cycle+power+plant.zip",
        file: "ccpp.csv",
        place: Place::Embedded(include_str!("embedded/ccpp.csv")),
        sha256: "721d8705a3eaebacd25a57cfd004cfe20e95abeb81a24cbfb8cbc4b96175fdc6",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "mnist",
        about: "handwritten digits, 28 x 28 pixels, 60,000 to learn from and 10,000 to be judged on",
        task: Task::Classification,
        rows: 70_000,
        features: 784,
        classes: &[
            ("0", 6903),
            ("1", 7877),
            ("2", 6990),
            ("3", 7141),
            ("4", 6824),
            ("5", 6313),
            ("6", 6876),
            ("7", 7293),
            ("8", 6825),
            ("9", 6958),
        ],
        missing: 0,
        licence: "Y. LeCun and C. Cortes, derived from NIST; usually taken as CC BY-SA 3.0",
        url: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        file: "",
        place: Place::Images(ImageFiles::Mnist),
        sha256: "",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "fashion_mnist",
        about: "clothes, 28 x 28 pixels, 60,000 to learn from and 10,000 to be judged on",
        task: Task::Classification,
        rows: 70_000,
        features: 784,
        classes: &[
            ("T-shirt/top", 7000),
            ("Trouser", 7000),
            ("Pullover", 7000),
            ("Dress", 7000),
            ("Coat", 7000),
            ("Sandal", 7000),
            ("Shirt", 7000),
            ("Sneaker", 7000),
            ("Bag", 7000),
            ("Ankle boot", 7000),
        ],
        missing: 0,
        licence: "MIT (Zalando)",
        url: "https://github.com/zalandoresearch/fashion-mnist",
        file: "",
        place: Place::Images(ImageFiles::Idx(Published {
            archive: "the four .gz files",
            folders: &["fashion_mnist", "fashion-mnist", "FashionMNIST"],
        })),
        sha256: "",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "cifar10",
        about: "photographs of ten things, 32 x 32 pixels of three colours, 50,000 to learn from and 10,000 to be judged on",
        task: Task::Classification,
        rows: 60_000,
        features: 3072,
        classes: &[
            ("airplane", 6000),
            ("automobile", 6000),
            ("bird", 6000),
            ("cat", 6000),
            ("deer", 6000),
            ("dog", 6000),
            ("frog", 6000),
            ("horse", 6000),
            ("ship", 6000),
            ("truck", 6000),
        ],
        missing: 0,
        licence: "none stated; Krizhevsky, Nair, Hinton ask to be cited (Krizhevsky 2009)",
        url: "https://www.cs.toronto.edu/~kriz/cifar.html",
        file: "",
        place: Place::Images(ImageFiles::Cifar(
            Published { archive: "cifar-10-binary.tar.gz", folders: &["cifar10", "cifar-10-batches-bin"] },
            &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
            "test_batch.bin",
            &[10],
        )),
        sha256: "",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
    Entry {
        name: "cifar100",
        about: "photographs of a hundred things, 32 x 32 pixels of three colours, 50,000 to learn from and 10,000 to be judged on",
        task: Task::Classification,
        rows: 60_000,
        features: 3072,
        classes: &[
            ("apple", 600),
            ("aquarium_fish", 600),
            ("baby", 600),
            ("bear", 600),
            ("beaver", 600),
            ("bed", 600),
            ("bee", 600),
            ("beetle", 600),
            ("bicycle", 600),
            ("bottle", 600),
            ("bowl", 600),
            ("boy", 600),
            ("bridge", 600),
            ("bus", 600),
            ("butterfly", 600),
            ("camel", 600),
            ("can", 600),
            ("castle", 600),
            ("caterpillar", 600),
            ("cattle", 600),
            ("chair", 600),
            ("chimpanzee", 600),
            ("clock", 600),
            ("cloud", 600),
            ("cockroach", 600),
            ("couch", 600),
            ("crab", 600),
            ("crocodile", 600),
            ("cup", 600),
            ("dinosaur", 600),
            ("dolphin", 600),
            ("elephant", 600),
            ("flatfish", 600),
            ("forest", 600),
            ("fox", 600),
            ("girl", 600),
            ("hamster", 600),
            ("house", 600),
            ("kangaroo", 600),
            ("keyboard", 600),
            ("lamp", 600),
            ("lawn_mower", 600),
            ("leopard", 600),
            ("lion", 600),
            ("lizard", 600),
            ("lobster", 600),
            ("man", 600),
            ("maple_tree", 600),
            ("motorcycle", 600),
            ("mountain", 600),
            ("mouse", 600),
            ("mushroom", 600),
            ("oak_tree", 600),
            ("orange", 600),
            ("orchid", 600),
            ("otter", 600),
            ("palm_tree", 600),
            ("pear", 600),
            ("pickup_truck", 600),
            ("pine_tree", 600),
            ("plain", 600),
            ("plate", 600),
            ("poppy", 600),
            ("porcupine", 600),
            ("possum", 600),
            ("rabbit", 600),
            ("raccoon", 600),
            ("ray", 600),
            ("road", 600),
            ("rocket", 600),
            ("rose", 600),
            ("sea", 600),
            ("seal", 600),
            ("shark", 600),
            ("shrew", 600),
            ("skunk", 600),
            ("skyscraper", 600),
            ("snail", 600),
            ("snake", 600),
            ("spider", 600),
            ("squirrel", 600),
            ("streetcar", 600),
            ("sunflower", 600),
            ("sweet_pepper", 600),
            ("table", 600),
            ("tank", 600),
            ("telephone", 600),
            ("television", 600),
            ("tiger", 600),
            ("tractor", 600),
            ("train", 600),
            ("trout", 600),
            ("tulip", 600),
            ("turtle", 600),
            ("wardrobe", 600),
            ("whale", 600),
            ("willow_tree", 600),
            ("wolf", 600),
            ("woman", 600),
            ("worm", 600),
        ],
        missing: 0,
        licence: "none stated; Krizhevsky, Nair, Hinton ask to be cited (Krizhevsky 2009)",
        url: "https://www.cs.toronto.edu/~kriz/cifar.html",
        file: "",
        place: Place::Images(ImageFiles::Cifar(
            Published { archive: "cifar-100-binary.tar.gz", folders: &["cifar100", "cifar-100-binary"] },
            &["train.bin"],
            "test.bin",
            &[20, 100],
        )),
        sha256: "",
        categorical: &[],
        zero_is_missing: &[],
        paper: Rows::All,
    },
];
