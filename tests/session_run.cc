// Answers requests as a model server does: LoadSavedModel and Session::Run.
//
//     session_run SAVED_MODEL
//
// reads requests from stdin and writes answers to stdout in the form that
// model_process.py describes.

#include <iostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/public/session.h"

using tensorflow::DataType;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using Named = std::vector<std::pair<std::string, Tensor>>;

namespace {

Tensor ReadTensor(std::istringstream& header) {
  int type;
  header >> type;
  TensorShape shape;
  for (long long size; header >> size;) shape.AddDim(size);
  Tensor tensor(static_cast<DataType>(type), shape);
  auto bytes = tensor.tensor_data();
  std::cin.read(const_cast<char*>(bytes.data()), bytes.size());
  return tensor;
}

void WriteTensor(const std::string& name, const Tensor& tensor) {
  std::cout << name << ' ' << tensor.dtype();
  for (auto size : tensor.shape().dim_sizes()) std::cout << ' ' << size;
  std::cout << '\n';
  if (tensor.dtype() == tensorflow::DT_STRING) {
    auto rows = tensor.flat<tensorflow::tstring>();
    for (int row = 0; row < rows.size(); ++row) {
      std::cout << rows(row).size() << '\n';
      std::cout.write(rows(row).data(), rows(row).size());
    }
  } else {
    auto bytes = tensor.tensor_data();
    std::cout.write(bytes.data(), bytes.size());
  }
}

void WriteError(const std::string& message) {
  std::cout << "error " << message.size() << '\n' << message;
}

void Answer(const tensorflow::SavedModelBundle& bundle,
            const std::string& signature, const Named& inputs) {
  const auto& definitions = bundle.meta_graph_def.signature_def();
  auto found = definitions.find(signature);
  if (found == definitions.end()) {
    return WriteError("no signature " + signature);
  }
  Named feeds;
  for (const auto& [name, tensor] : inputs) {
    auto wanted = found->second.inputs().find(name);
    if (wanted == found->second.inputs().end()) {
      return WriteError("no input " + name);
    }
    feeds.emplace_back(wanted->second.name(), tensor);
  }
  std::vector<std::string> names, fetches;
  for (const auto& [name, info] : found->second.outputs()) {
    names.push_back(name);
    fetches.push_back(info.name());
  }
  std::vector<Tensor> outputs;
  auto status = bundle.session->Run(feeds, fetches, {}, &outputs);
  if (!status.ok()) return WriteError(std::string(status.message()));
  std::cout << "outputs " << outputs.size() << '\n';
  for (size_t i = 0; i < outputs.size(); ++i) WriteTensor(names[i], outputs[i]);
}

}  // namespace

int main(int argc, char** argv) {
  tensorflow::SavedModelBundle bundle;
  auto status = tensorflow::LoadSavedModel(tensorflow::SessionOptions(),
                                           tensorflow::RunOptions(), argv[1],
                                           {"serve"}, &bundle);
  if (!status.ok()) {
    std::cerr << status.message() << '\n';
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream header(line);
    std::string signature, name;
    int count;
    header >> signature >> count;
    Named inputs;
    for (int i = 0; i < count; ++i) {
      std::getline(std::cin, line);
      std::istringstream fields(line);
      fields >> name;
      inputs.emplace_back(name, ReadTensor(fields));
    }
    Answer(bundle, signature, inputs);
    std::cout.flush();
  }
}
