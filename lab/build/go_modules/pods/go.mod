module mcsps.example/lab/toolchain/pods

go 1.26.0
