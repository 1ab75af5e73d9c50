//! AdaSwarm (Mohapatra, Saha, Coello Coello, Bhattacharya, Dhavala, Saha 2021): its tables and figures. The CSV files beside
//! these modules hold the paper's printed figures.

pub mod stability;
