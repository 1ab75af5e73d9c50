//! A module's weights as one flat vector, and back.
//!
//! The order is that of the module's fields; every tensor is row-major. Optimisers and swarms see a network only through
//! this vector.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use swarmgrad_core::{Error, Result, Rng};

/// Which of a module's float tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What an optimiser moves.
    Trainable,
    /// Those and the running statistics of batch normalisation: what a saved model needs.
    All,
}

impl Part {
    fn holds<const D: usize>(self, param: &Param<Tensor<D>>) -> bool {
        self == Part::All || param.is_require_grad()
    }
}

/// The weights of `module`, appended to nothing: a vector of [`count`] numbers.
pub fn read<M: Module>(module: &M, part: Part) -> Vec<f32> {
    struct Read(Vec<f32>, Part);
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.1.holds(param) {
                self.0.extend_from_slice(&floats(param.val().inner().into_data()));
            }
        }
    }
    let mut read = Read(Vec::new(), part);
    module.visit(&mut read);
    read.0
}

/// How many numbers [`read`] gives.
pub fn count<M: Module>(module: &M, part: Part) -> usize {
    struct Count(usize, Part);
    impl ModuleVisitor for Count {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.1.holds(param) {
                self.0 += param.val().shape().num_elements();
            }
        }
    }
    let mut seen = Count(0, part);
    module.visit(&mut seen);
    seen.0
}

/// The module with the weights of a flat vector, as [`read`] gives them.
///
/// # Errors
/// A vector of another length than [`count`].
pub fn write<M: Module>(module: M, weights: &[f32], part: Part) -> Result<M> {
    let expected = count(&module, part);
    if weights.len() != expected {
        return Err(Error::shape("weights", weights.len(), expected));
    }
    struct Write<'a>(&'a [f32], Part);
    impl ModuleMapper for Write<'_> {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !self.1.holds(&param) {
                return param;
            }
            let trained = param.is_require_grad();
            let (id, tensor, mapper) = param.consume();
            let device = tensor.device();
            let shape = tensor.shape();
            let (mine, rest) = self.0.split_at(shape.num_elements());
            self.0 = rest;
            let tensor = Tensor::from_data(TensorData::new(mine.to_vec(), shape), &device);
            Param::from_mapped_value(id, tensor.set_require_grad(trained && device.is_autodiff()), mapper)
        }
    }
    Ok(module.map(&mut Write(weights, part)))
}

/// The gradients of the trainable weights, in the order of [`read`]; zero where a weight took no part.
pub fn read_gradients<M: Module>(module: &M, gradients: &mut Gradients, out: &mut Vec<f32>) {
    struct Read<'a>(&'a mut Gradients, &'a mut Vec<f32>);
    impl ModuleVisitor for Read<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                return;
            }
            let tensor = param.val();
            match tensor.grad_remove(self.0) {
                Some(gradient) => self.1.extend_from_slice(&floats(gradient.into_data())),
                None => self.1.resize(self.1.len() + tensor.shape().num_elements(), 0.0),
            }
        }
    }
    out.clear();
    module.visit(&mut Read(gradients, out));
}

/// The usual start of a network's layers: weights and biases of dense and convolutional layers uniform in +-1/sqrt(fan in)
/// (PyTorch's default), other parameters (batch normalisation) as they are. Drawn from `rng`, one row a tensor, so that a
/// seed means the same network on any device.
pub fn initialize<M: Module>(module: M, rng: &Rng) -> M {
    struct Initialize<'a> {
        rng: &'a Rng,
        tensor: usize,
        fan_in: usize,
        layers: Vec<String>,
    }
    impl ModuleMapper for Initialize<'_> {
        fn enter_module(&mut self, _name: &str, container: &str) {
            self.layers.push(container.to_owned());
        }
        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.layers.pop();
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let layer = self.layers.last().map_or("", String::as_str);
            if !(layer.contains("Linear") || layer.contains("Conv2d")) {
                return param;
            }
            let trained = param.is_require_grad();
            let (id, tensor, mapper) = param.consume();
            let (device, dims) = (tensor.device(), tensor.dims());
            match D {
                2 => self.fan_in = dims[0],
                4 => self.fan_in = dims[1..].iter().product(),
                _ => {}
            }
            let bound = 1.0 / (self.fan_in as f32).sqrt();
            let mut values = vec![0.0f32; dims.iter().product()];
            self.rng.row(self.tensor).fill_uniform(&mut values);
            self.tensor += 1;
            values.iter_mut().for_each(|v| *v = bound * (2.0 * *v - 1.0));
            let tensor = Tensor::from_data(TensorData::new(values, dims), &device);
            Param::from_mapped_value(id, tensor.set_require_grad(trained && device.is_autodiff()), mapper)
        }
    }
    module.map(&mut Initialize { rng, tensor: 0, fan_in: 1, layers: Vec::new() })
}

/// The numbers of a tensor; a tensor of this crate holds f32 alone.
pub(super) fn floats(data: TensorData) -> Vec<f32> {
    data.try_into_vec::<f32>().expect("a tensor of f32")
}
